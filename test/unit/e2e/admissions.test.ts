import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAdmissions } from "../../e2e/analysis/admissions.ts";

describe("what the admissions client writes", () => {
  test("is injected, past the webhook, or refused", () => {
    const log = `{"n": 1, "at": 1000, "injected": true, "ms": 12.5}
{"n": 2, "at": 1100, "injected": false, "ms": 5000}

{"n": 3, "at": 1200, "error": "HTTP Error 500", "ms": 30}
`;
    assert.deepEqual(parseAdmissions(log), [
      { n: 1, atMs: 1000, ms: 12.5, outcome: "injected", error: "" },
      { n: 2, atMs: 1100, ms: 5000, outcome: "past", error: "" },
      { n: 3, atMs: 1200, ms: 30, outcome: "refused", error: "HTTP Error 500" },
    ]);
  });

  test("is nothing else", () => {
    assert.throws(() => parseAdmissions('{"n": 1, "at": 1000, "ms": 1}'), /not a line/);
    assert.throws(() => parseAdmissions("Traceback"));
  });
});
