import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REASONS } from "../../../src/contract/reasons.ts";

describe("reason codes", () => {
  for (const [code, { level, warn, means, remedy }] of Object.entries(REASONS)) {
    test(code, () => {
      assert.match(code, /^[a-z]+(-[a-z]+)*$/, "one word for metrics, logs and annotations");
      assert.ok(code.length <= 63, "fits a label's value");
      assert.ok(["decision", "part", "cluster"].includes(level));
      assert.equal(typeof warn, "boolean");
      assert.match(means, /^\S.+\.$/s);
      assert.match(remedy, /^$|^[A-Z].+\.$/s);
    });
  }
});
