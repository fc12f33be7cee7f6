import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseLookups, settledOn } from "../../e2e/analysis/lookups.ts";

const LOOKUPS = parseLookups("10.5 10.0.0.1\n11 \n12 10.0.0.1 10.0.0.2\n13 10.0.0.2\n14 10.0.0.2\n");

describe("lookups of a name", () => {
  test("may find nothing", () => assert.deepEqual(LOOKUPS[1], { atMs: 11_000, addresses: [] }));

  test("settle on an address once it alone is found, for good", () => {
    assert.equal(settledOn(LOOKUPS, "10.0.0.2"), 13_000);
    assert.equal(settledOn(LOOKUPS, "10.0.0.1"), undefined);
    assert.equal(settledOn(LOOKUPS.slice(0, 1), "10.0.0.1"), 10_500);
    assert.equal(settledOn([], "10.0.0.1"), undefined);
  });

  test("are refused where they are none", () =>
    assert.throws(() => parseLookups("getent: not found"), /not a lookup/));
});
