import assert from "node:assert/strict";
import { test } from "node:test";
import { readStatus } from "../../../src/patroni/status.ts";

const replica = (version: string | undefined, replication_state?: string): object => ({
  role: "replica",
  state: "running",
  patroni: { version, scope: "pg" },
  ...(replication_state === undefined ? {} : { replication_state }),
});

for (const [what, body, streaming] of [
  ["a standby that streams", replica("4.1.5", "streaming"), true],
  ["a standby on the archive", replica("4.1.5", "in archive recovery"), false],
  ["a standby whose receiver does not run", replica("3.0.4"), false],
  ["a version that does not say", replica("3.0.3"), undefined],
  ["a version of another major", replica("2.1.9"), undefined],
  ["no version", replica(undefined), undefined],
  ["a primary", { ...replica("4.1.5"), role: "primary" }, undefined],
  ["a primary of 3.x", { ...replica("3.2.0"), role: "master" }, undefined],
] as const)
  test(`streaming: ${what}`, () => assert.equal(readStatus(200, body).streaming, streaming));
