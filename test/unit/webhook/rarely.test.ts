import assert from "node:assert/strict";
import { it } from "node:test";
import { rarely } from "../../../src/webhook/rarely.ts";

it("rarely says the first at once, and with a later one how many there were in between", () => {
  let now = 0;
  const said: unknown[] = [];
  const say = rarely<string>(
    1000,
    (detail, others) => said.push([detail, others]),
    () => now,
  );
  for (const at of [0, 1, 999, 1000, 1500, 9000]) {
    now = at;
    say(`at ${at}`);
  }
  assert.deepEqual(said, [
    ["at 0", 0],
    ["at 1000", 2],
    ["at 9000", 1],
  ]);
});
