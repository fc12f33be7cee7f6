import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { interruption } from "../../../src/cli/interruption.ts";

describe("an interruption", () => {
  for (const name of ["SIGINT", "SIGTERM"] as const)
    it(`is by ${name}, once: the next one does what it always does`, () => {
      const signals = new EventEmitter();
      const { signal } = interruption(signals);
      assert.equal(signal.aborted, false);
      signals.emit(name, name);
      assert.equal(signal.reason.message, `interrupted by ${name}`);
      assert.equal(signals.listenerCount(name), 0);
    });
  it("cannot come when the work is done", () => {
    const signals = new EventEmitter();
    const { end } = interruption(signals);
    assert.equal(signals.listenerCount("SIGTERM"), 1);
    end();
    assert.equal(signals.listenerCount("SIGTERM"), 0);
  });
});
