import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { podFacts } from "../../../../src/controller/facts/pod.ts";
import { poolerFacts } from "../../../../src/controller/facts/pooler.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { poolerPod } from "../../injection/pooler-pod.ts";
import { inject, ours, patroniPod, settingsOf } from "../../injection/world.ts";

const SETTINGS = settingsOf({});

describe("a pooler, as the controller keeps it", () => {
  it("is of the cluster that its label names, with its sidecar where it has one", () => {
    const pod = inject(poolerPod()).pod;
    const facts = poolerFacts(pod, SETTINGS);
    assert.equal(facts?.scope, "pg");
    assert.equal(facts?.serviceAccount, "default");
    assert.equal(facts?.container?.image, SETTINGS.sidecar.image);
    assert.equal(poolerFacts(poolerPod(), SETTINGS)?.container, undefined);
  });

  const NONE: readonly (readonly [string, JsonObject])[] = [
    [
      "a member, which it is by its other label",
      patroniPod({ labels: { "patroni-injector.io/pooler-of": "pg" } }),
    ],
    ["a pod that opted out", poolerPod({ annotations: ours({ inject: "false" }) })],
    ["a pod of no cluster", poolerPod({ labels: { "patroni-injector.io/pooler-of": "" } })],
    ["any other pod", { metadata: { name: "shop" }, spec: { containers: [] } }],
  ];
  for (const [what, pod] of NONE)
    it(`is not ${what}`, () => assert.equal(poolerFacts(pod, SETTINGS), undefined));

  it("is no member", () => assert.equal(podFacts(inject(poolerPod()).pod, SETTINGS), undefined));
});
