import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { issueAuthority } from "../../../src/certificates/issue.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { changeFor, isTrusted } from "../../../src/kube/webhook-configuration.ts";

const now = new Date();

async function authority(): Promise<string> {
  const { certPem } = await issueAuthority("CA", { from: now, days: 1 });
  return certPem;
}

const base64 = (pem: string) => Buffer.from(pem).toString("base64");

const entry = (name: string, pem: string, more: JsonObject = {}): JsonObject => ({
  name,
  clientConfig: { url: "https://localhost/mutate", caBundle: base64(pem) },
  sideEffects: "None",
  ...more,
});

const configuration = (...webhooks: JsonObject[]): JsonObject => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name: "00-patroni-injector", labels: { app: "us" } },
  webhooks,
});

/** As a list gives it: no kind, but defaults and what the server keeps. */
const live = (...webhooks: JsonObject[]): JsonObject => ({
  metadata: {
    name: "00-patroni-injector",
    uid: "u1",
    resourceVersion: "7",
    labels: { app: "us", other: "theirs" },
  },
  webhooks: webhooks.map((webhook) => ({ matchPolicy: "Equivalent", ...webhook })),
});

describe("changeFor", () => {
  let own: string;
  let other: string;
  before(async () => {
    [own, other] = await Promise.all([authority(), authority()]);
  });

  describe("full", () => {
    const change = (desired: JsonObject, found?: JsonObject, applied = true) =>
      changeFor("full", desired, found, applied, now);

    it("applies the whole where there is none", () => {
      const desired = configuration(entry("a", own));
      assert.deepEqual(change(desired), { kind: "apply", object: desired });
    });

    it("is content with what a server and others added", () => {
      const desired = configuration(entry("a", own), entry("b", own));
      const found = live(entry("theirs", other), entry("b", own), entry("a", own, { timeoutSeconds: 10 }));
      assert.deepEqual(change(desired, found), { kind: "none" });
    });

    it("applies once whatever is there, so that what is no longer desired goes", () => {
      const desired = configuration(entry("a", own));
      const found = live(entry("a", own), entry("b", own));
      assert.deepEqual(change(desired, found, false), { kind: "apply", object: desired });
    });

    it("keeps the authorities of other processes", () => {
      const desired = configuration(entry("a", own));
      const object = configuration(entry("a", `${other}${own}`));
      assert.deepEqual(change(desired, live(entry("a", other))), { kind: "apply", object });
      assert.deepEqual(change(desired, live(entry("a", `${other}${own}`))), { kind: "none" });
    });

    const changes: readonly [what: string, change: (found: JsonObject) => void][] = [
      [
        "another value",
        (found) => Object.assign((found.webhooks as JsonObject[])[0] ?? {}, { sideEffects: "Some" }),
      ],
      ["an entry less", (found) => (found.webhooks as JsonObject[]).pop()],
      ["a label less", (found) => Object.assign(found.metadata ?? {}, { labels: {} })],
      [
        "another address",
        (found) => Object.assign((found.webhooks as JsonObject[])[1]?.clientConfig ?? {}, { url: "" }),
      ],
      ["no entries at all", (found) => Object.assign(found, { webhooks: undefined })],
    ];
    for (const [what, spoil] of changes) {
      it(`puts right ${what}`, () => {
        const found = live(entry("a", own), entry("b", own));
        spoil(found);
        assert.equal(change(configuration(entry("a", own), entry("b", own)), found).kind, "apply");
      });
    }
  });

  describe("caBundle", () => {
    const change = (found?: JsonObject) =>
      changeFor("caBundle", configuration(entry("ours", own)), found, false, now);

    it("waits where there is nothing to write into", () => {
      assert.deepEqual(change(undefined), { kind: "absent" });
      assert.deepEqual(change(live()), { kind: "absent" });
    });

    it("writes the bundle of every entry that lacks ours, if nobody else wrote in between", () => {
      const found = live(entry("chart-a", ""), entry("chart-b", own), entry("chart-c", other));
      assert.deepEqual(change(found), {
        kind: "patch",
        operations: [
          { op: "test", path: "/metadata/resourceVersion", value: "7" },
          { op: "add", path: "/webhooks/0/clientConfig/caBundle", value: base64(own) },
          { op: "add", path: "/webhooks/2/clientConfig/caBundle", value: base64(`${other}${own}`) },
        ],
      });
    });

    it("is content once every entry has it", () => {
      assert.deepEqual(change(live(entry("a", own), entry("b", `${own}${other}`))), { kind: "none" });
    });
  });
});

describe("isTrusted", () => {
  let own: string;
  let other: string;
  before(async () => {
    [own, other] = await Promise.all([authority(), authority()]);
  });

  it("asks for each desired entry and our authority in it", () => {
    const desired = configuration(entry("a", own), entry("b", own));
    const trusted = (found?: JsonObject) => isTrusted("full", desired, found);
    assert.equal(trusted(live(entry("a", `${other}${own}`), entry("b", own))), true);
    assert.equal(trusted(live(entry("a", own), entry("b", other))), false);
    assert.equal(trusted(live(entry("a", own))), false);
    assert.equal(trusted(undefined), false);
  });

  it("asks for our authority in every entry that a chart made", () => {
    const trusted = (found?: JsonObject) => isTrusted("caBundle", configuration(entry("a", own)), found);
    assert.equal(trusted(live(entry("x", own), entry("y", own))), true);
    assert.equal(trusted(live(entry("x", own), entry("y", other))), false);
    assert.equal(trusted(live()), false);
    assert.equal(trusted(undefined), false);
  });
});
