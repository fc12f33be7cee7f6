import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { interruption } from "../../../src/cli/interruption.ts";

describe("an interruption", () => {
  for (const name of ["SIGINT", "SIGTERM"] as const)
    it(`is by ${name}, once: the next one does what it always does`, () => {
      const before = process.listenerCount(name);
      const { signal } = interruption();
      assert.equal(signal.aborted, false);
      process.emit(name, name);
      assert.equal(signal.reason.message, `interrupted by ${name}`);
      assert.equal(process.listenerCount(name), before);
    });
  it("cannot come when the work is done", () => {
    const before = process.listenerCount("SIGTERM");
    const { end } = interruption();
    assert.equal(process.listenerCount("SIGTERM"), before + 1);
    end();
    assert.equal(process.listenerCount("SIGTERM"), before);
  });
});
