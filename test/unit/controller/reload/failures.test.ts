import assert from "node:assert/strict";
import { test } from "node:test";
import { type Failure, failuresIn, inWords, newsIn } from "../../../../src/controller/reload/failures.ts";
import type { JsonObject } from "../../../../src/json/value.ts";

const AT = "2026-03-01T10:00:00.000Z";
const NOW = Date.parse(AT) + 1000;
const lastError = (more: JsonObject = {}): JsonObject => ({
  problem: "reload-rejected",
  detail: "no",
  at: AT,
  errors: [{ file: "pg_hba.conf", message: "a line with secrets" }],
  ...more,
});
const failure: Failure = {
  component: "postgres",
  problem: "reload-rejected",
  at: AT,
  detail: "no",
  version: 7,
};

test("the last errors of both components, without the lines of files", () => {
  const status = { materialisedVersion: 7, lastError: lastError() };
  assert.deepEqual(failuresIn({ postgres: status, pgbouncer: { lastError: lastError({ detail: "x" }) } }), [
    failure,
    { ...failure, component: "pgbouncer", detail: "x", version: undefined },
  ]);
  assert.equal(
    inWords(failure),
    `postgres at ${AT}, version 7 of its configuration is in the pod: reload-rejected: no`,
  );
});

const ODD: readonly (readonly [string, JsonObject])[] = [
  ["nothing", {}],
  ["another component", { mysql: { lastError: lastError() } }],
  ["no error", { postgres: { reloading: false } }],
  ["a problem that does not exist", { postgres: { lastError: lastError({ problem: "constructor" }) } }],
  ["no time", { postgres: { lastError: lastError({ at: "yesterday" }) } }],
  ["no object", { postgres: { lastError: "x" } }],
];
for (const [what, status] of ODD) {
  test(`what is no failure: ${what}`, () => assert.deepEqual(failuresIn(status), []));
}

test("words of a pod are one line of a bounded length", () => {
  const detail = `a\u0000\r\n\u202eb ${"x".repeat(5000)}`;
  const [found] = failuresIn({ postgres: { lastError: lastError({ detail }) } });
  assert.match(found?.detail ?? "", /^a b x+…$/);
  assert.equal(found?.detail.length, 600);
});

test("news is what was not told, and is neither old nor of the future", () => {
  const none = new Map();
  assert.deepEqual(newsIn([failure], none, NOW), [failure]);
  assert.deepEqual(newsIn([failure], new Map([["postgres", AT]]), NOW), []);
  assert.deepEqual(newsIn([failure], new Map([["pgbouncer", AT]]), NOW), [failure]);
  assert.deepEqual(newsIn([failure], new Map([["postgres", "earlier"]]), NOW), [failure]);
  assert.deepEqual(newsIn([failure], none, NOW + 3_600_000), []);
  assert.deepEqual(newsIn([failure], none, NOW - 3_600_000), []);
});
