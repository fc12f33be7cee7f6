import assert from "node:assert/strict";
import { it } from "node:test";
import {
  peerAuthentication,
  peerAuthenticationFindings,
} from "../../../../src/controller/desired/peer-authentication.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { member, settingsOf, viewOf } from "../views.ts";

it("disables mTLS for exactly the excluded inbound ports", () => {
  assert.deepEqual(peerAuthentication(viewOf({ peerAuthentications: [] }))?.object.spec, {
    selector: { matchLabels: { "patroni-injector.io/cluster": "pg" } },
    portLevelMtls: { 5432: { mode: "DISABLE" }, 8008: { mode: "DISABLE" }, 8011: { mode: "DISABLE" } },
  });
});

it("is not wanted without Istio, nor where the members are kept out of the mesh's business", () => {
  assert.equal(peerAuthentication(viewOf()), undefined);
  const without = [member({ settings: settingsOf({ mesh: false }) })];
  assert.equal(peerAuthentication(viewOf({ peerAuthentications: [], members: without })), undefined);
});

const policy = (matchLabels?: JsonObject): JsonObject => ({
  metadata: { name: "theirs" },
  spec: matchLabels === undefined ? {} : { selector: { matchLabels } },
});

it("reports another policy that selects the members, but none of the namespace or of other pods", () => {
  const findings = (theirs: JsonObject) =>
    peerAuthenticationFindings(viewOf({ peerAuthentications: [theirs] }));
  assert.deepEqual(findings(policy({ application: "patroni" })), [
    { reason: "peer-authentication-conflict", detail: "PeerAuthentication theirs" },
  ]);
  assert.deepEqual(findings(policy()), []);
  assert.deepEqual(findings(policy({ application: "shop" })), []);
});
