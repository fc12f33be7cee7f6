import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { auditModeNamespaces, auditModeOf, rememberedIn } from "../../../src/audit/audit-mode.ts";
import { textOf } from "../../../src/audit/report/text.ts";
import { namespace, snapshotOf } from "./world.ts";

const decision = (name: string, reason = "injected", inside = "db") => ({ namespace: inside, name, reason });
const told = (...decisions: ReturnType<typeof decision>[]) => ({
  value: rememberedIn({ since: "2026-01-01T00:00:00.000Z", decisions }),
});

describe("what namespaces in audit mode would have got", () => {
  it("is what all replicas together remember, each name once, by namespace and reason", () => {
    const replicas = [
      { replica: "injector/a", told: told(decision("pg-1"), decision("pg-0"), decision("x", "opted-out")) },
      { replica: "injector/b", told: told(decision("pg-1"), decision("elsewhere-0", "injected", "other")) },
    ];
    const { groups, unread } = auditModeOf(replicas, new Set(["db"]));
    assert.deepEqual(groups, [
      { namespace: "db", reason: "injected", pods: ["pg-0", "pg-1"] },
      { namespace: "db", reason: "opted-out", pods: ["x"] },
    ]);
    assert.deepEqual(unread, []);
  });

  it("names the replicas that could not be read", () => {
    const replicas = [
      { replica: "injector/a", told: told(decision("pg-0")) },
      { replica: "injector/b", told: { unseen: "pods/proxy is forbidden" } },
    ];
    const auditMode = auditModeOf(replicas, new Set(["db"]));
    assert.deepEqual(auditMode.unread, [{ replica: "injector/b", why: "pods/proxy is forbidden" }]);
    const text = textOf({ clusters: [], auditMode }, false);
    assert.match(text, /would be injected {2}db: 1: pg-0/);
    assert.match(text, /unseen {2}injector\/b: pods\/proxy is forbidden/);
  });

  it("is asked for of audited namespaces with that label only", () => {
    const mode = (value: string) => ({ "patroni-injector.io/injection": value });
    const objects = [
      namespace("a", mode("audit")),
      namespace("b", mode("audit")),
      namespace("c", mode("enabled")),
    ];
    const snapshot = snapshotOf({ objects });
    assert.deepEqual([...auditModeNamespaces(snapshot, undefined)], ["a", "b"]);
    assert.deepEqual([...auditModeNamespaces(snapshot, ["b", "c"])], ["b"]);
  });

  it("takes no answer for more than it is", () => {
    const since = "2026-01-01T00:00:00Z";
    const entry = { namespace: "db", name: "pg-0", reason: "injected" };
    const hostile = [
      1,
      { namespace: "db" },
      { name: "x" },
      { ...entry, reason: "\u001b[2J" },
      { ...entry, name: "<b>" },
    ];
    assert.deepEqual(rememberedIn({ since, decisions: [...hostile, entry] }).decisions, [
      { namespace: "db", pod: "pg-0", reason: "injected" },
    ]);
    for (const answer of [{}, { decisions: [] }, { since }, { since: "\u001b", decisions: [] }])
      assert.throws(() => rememberedIn(answer), /not that of a replica/);
  });
});
