import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { slowProgress } from "../../../src/audit/progress.ts";

describe("progress", () => {
  test("is said once it takes long: what is under way, and from then on what begins", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const said: string[] = [];
      const progress = slowProgress((what) => said.push(what), 100);
      progress.now("reading");
      progress.now("asking");
      mock.timers.tick(99);
      assert.deepEqual(said, []);
      mock.timers.tick(1);
      assert.deepEqual(said, ["asking"]);
      progress.now("trying");
      assert.deepEqual(said, ["asking", "trying"]);
    } finally {
      mock.timers.reset();
    }
  });
  test("is not said of what is over by then", () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const progress = slowProgress(() => assert.fail("said"), 100);
      progress.now("reading");
      progress.end();
      mock.timers.tick(1000);
    } finally {
      mock.timers.reset();
    }
  });
});
