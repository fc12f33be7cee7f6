import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KindObjects } from "../../../../src/audit/collect/kind-objects.ts";
import type { Listed } from "../../../../src/audit/collect/lists.ts";

const slice = (namespace: string) => ({ kind: "EndpointSlice", metadata: { namespace, name: "s" } });
const listed: Listed = {
  audited: { value: [slice("db")] },
  beside: new Map([
    ["default", { value: [slice("default")] }],
    ["kube-system", { unseen: "endpointslices: forbidden" }],
  ]),
};

describe("what was read of a kind", () => {
  const objects = new KindObjects("EndpointSlice", listed, ["db", "empty"]);

  it("is there of audited namespaces, and of those beside them", () => {
    assert.deepEqual(objects.in("db"), { value: [slice("db")] });
    assert.deepEqual(objects.in("default"), { value: [slice("default")] });
    assert.deepEqual(objects.in("empty"), { value: [] });
    assert.deepEqual(objects.in(undefined), { value: [slice("db"), slice("default")] });
  });

  it("is unseen where reading failed, and the rest is not", () => {
    assert.deepEqual(objects.in("kube-system"), { unseen: "endpointslices: forbidden" });
  });

  it("is unseen, and not absent, where nobody looked", () => {
    assert.deepEqual(objects.in("patroni-injector"), {
      unseen: "endpointslices of namespace patroni-injector were not read",
    });
    const all = new KindObjects("EndpointSlice", { ...listed, beside: new Map() }, undefined);
    assert.deepEqual(all.in("patroni-injector"), { value: [] });
  });
});
