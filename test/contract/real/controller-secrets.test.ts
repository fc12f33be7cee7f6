import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Issued, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { PRIMARY, REPLICA, ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { eventually } from "../suite/eventually.ts";
import { Controlled, type Place } from "./controlled.ts";

const NAME = "pg-0.pg-headless.db.svc.cluster.local";
const HOST = "127.32.0.1";
const SECRET = "patroni-ca";

let controlled: Controlled;
let place: Place;
let member: ScriptedMember;

/** A certificate for the member, and the Secret's data that verifies it. */
async function certified(commonName: string): Promise<{ leaf: Issued; data: JsonObject }> {
  const validity = { from: new Date(), days: 1 };
  const authority = await issueAuthority(commonName, validity);
  const leaf = await issueLeaf("patroni", { dnsNames: [NAME], ipAddresses: [] }, validity, authority);
  return { leaf, data: { "ca.crt": Buffer.from(authority.certPem).toString("base64") } };
}

/** The member with another certificate, on the same ports. */
async function serve({ certPem, keyPem }: Issued): Promise<void> {
  const ports = member?.ports;
  await member?.stop();
  member = new ScriptedMember("pg-0", HOST, { cert: certPem, key: keyPem });
  if (ports !== undefined) member.ports = ports;
  await member.start();
}

const findings = (): string[] =>
  controlled.logged.filter(({ reason }) => reason === "unobservable").map(({ detail }) => String(detail));

before(async () => {
  controlled = await Controlled.start();
  place = await controlled.addNamespace("db");
  controlled.controller();
});
after(async () => {
  await member?.stop();
  await controlled?.stop();
});

describe("the Secrets of Patroni over TLS", () => {
  it("may not be read before somebody grants it, and that is said", async () => {
    const { leaf, data } = await certified("one");
    await serve(leaf);
    member.answer = PRIMARY;
    for (const name of [SECRET, "another"]) {
      await place.create(place.core("secrets"), {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name },
        data,
      });
    }
    await place.addPod(
      member,
      { "patroni-injector.io/patroni-scheme": "https", "patroni-injector.io/patroni-ca-secret": SECRET },
      [{ name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: `${NAME}:8008` }],
    );
    await eventually("it is said", async () =>
      findings().some((detail) =>
        /Secret db\/patroni-ca may not be read: .*rbac\.patroniSecrets/.test(detail),
      ),
    );
    assert.deepEqual(member.asked, []);
  });

  it("are read once the chart names them: these, and no others", async () => {
    await controlled.grant({ rbac: { patroniSecrets: [{ namespace: "db", names: [SECRET] }] } });
    await place.untilPublished(member);
    for (const [name, status] of [
      [SECRET, 200],
      ["another", 403],
      ["", 403],
    ] as const) {
      const path = `${place.core("secrets")}${name === "" ? "" : `/${name}`}`;
      assert.equal((await controlled.asAccount("GET", path)).status, status, path);
    }
  });

  it("are taken up when they change", async (t) => {
    const { leaf, data } = await certified("two");
    await serve(leaf);
    member.answer = REPLICA;
    await place.change(`${place.core("secrets")}/${SECRET}`, { data });
    const began = performance.now();
    await place.untilPublished();
    t.diagnostic(`withdrawn by the new certificate after ${Math.round(performance.now() - began)} ms`);
  });
});
