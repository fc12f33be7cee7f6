import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeOptionsFor } from "../../../../src/injection/mutations/sidecar-heap.ts";

test("V8's heap follows from the memory limit, with room for what is not of its heap", () => {
  const rows = [
    ["64Mi", 21],
    ["128Mi", 42],
    ["0.25Gi", 85],
    ["67108864", 21],
    ["32Mi", 16], // what V8 needs at the least
  ] as const;
  for (const [limit, oldSpace] of rows) {
    assert.equal(nodeOptionsFor(limit), `--max-old-space-size=${oldSpace} --max-semi-space-size=2`, limit);
  }
});

test("without a limit nothing is said", () => {
  assert.equal(nodeOptionsFor(undefined), undefined);
  assert.equal(nodeOptionsFor("much"), undefined);
});
