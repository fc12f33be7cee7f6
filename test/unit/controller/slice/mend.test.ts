import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sliceSkeleton } from "../../../../src/controller/desired/primary-slice.ts";
import { isForsaken } from "../../../../src/controller/slice/endpoint.ts";
import { mended, withoutTerm } from "../../../../src/controller/slice/mend.ts";
import { at, type JsonObject } from "../../../../src/json/value.ts";
import { endpointOf, member, ownSlice, service, viewOf } from "../views.ts";

describe("mending a slice", () => {
  const skeleton = sliceSkeleton(viewOf(), service({}, { uid: "new" }));
  const slice = ownSlice([endpointOf(member())], { "patroni-injector.io/term": "1/2", theirs: "kept" });
  const odd: JsonObject = {
    ...slice,
    unknown: { field: "of a newer version" },
    metadata: {
      ...(slice.metadata as JsonObject),
      resourceVersion: "17",
      labels: { theirs: "kept" },
      ownerReferences: [
        { apiVersion: "v1", kind: "Service", name: "pg-primary", uid: "old" },
        { apiVersion: "v1", kind: "Thing", name: "other", uid: "other" },
      ],
    },
  };
  const result = mended(odd, skeleton);

  it("keeps endpoints, term, resourceVersion and every field that it does not know", () => {
    assert.deepEqual(result.endpoints, odd.endpoints);
    assert.deepEqual(result.unknown, odd.unknown);
    assert.equal(at(result, "metadata", "resourceVersion"), "17");
    assert.equal(at(result, "metadata", "annotations", "patroni-injector.io/term"), "1/2");
    assert.equal(at(result, "metadata", "annotations", "theirs"), "kept");
    assert.equal(at(result, "metadata", "labels", "theirs"), "kept");
  });

  it("hands it over to the Service that is there, and to no other", () => {
    const owners = at(result, "metadata", "ownerReferences") as { kind: string; uid: string }[];
    assert.deepEqual(
      owners.map(({ kind, uid }) => `${kind} ${uid}`),
      ["Service new", "Thing other"],
    );
  });

  it("does nothing the second time", () => assert.deepEqual(mended(result, skeleton), result));

  it("takes a port's other fields for no difference", () => {
    const ports = [{ name: "tcp-postgres", port: 5432, protocol: "TCP", appProtocol: "postgres" }];
    assert.deepEqual(mended({ ...slice, ports }, skeleton).ports, ports);
  });

  it("clears the term, and remembers by whose wish", () => {
    const cleared = withoutTerm(slice, "restored");
    assert.equal(at(cleared, "metadata", "annotations", "patroni-injector.io/term"), undefined);
    assert.equal(at(cleared, "metadata", "annotations", "patroni-injector.io/term-reset"), "restored");
    assert.deepEqual(cleared.endpoints, slice.endpoints);
  });
});

describe("an endpoint is forsaken", () => {
  const endpoint = endpointOf(member());
  const pod = (uid: string, status: JsonObject): JsonObject => ({ metadata: { name: "pg-0", uid }, status });
  const rows: readonly [string, JsonObject | undefined, boolean][] = [
    ["its pod is gone", undefined, true],
    ["its pod was replaced", pod("uid-1", { podIP: "10.0.0.1" }), true],
    ["its pod has another address", pod("uid-0", { podIP: "10.0.0.2" }), true],
    ["its pod has ended", pod("uid-0", { phase: "Failed", podIP: "10.0.0.1" }), true],
    ["its pod is there", pod("uid-0", { phase: "Running", podIP: "10.0.0.1" }), false],
    [
      "the address is its second one",
      pod("uid-0", { podIP: "fd00::1", podIPs: [{ ip: "fd00::1" }, { ip: "10.0.0.1" }] }),
      false,
    ],
    ["its address is not told", pod("uid-0", {}), false],
  ];
  for (const [what, found, forsaken] of rows) {
    it(`${what}: ${forsaken}`, () => assert.equal(isForsaken(endpoint, found), forsaken));
  }
});
