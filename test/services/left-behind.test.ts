import assert from "node:assert/strict";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { queryObjects } from "node:v8";
import pg from "pg";
import { Database } from "./rig/database.ts";
import { Pooler } from "./rig/pooler.ts";
import { pgbouncerEnvironment, postgresEnvironment, ReloadApi } from "./rig/reload-api.ts";

let pooler: Pooler;
let database: Database;
let api: ReloadApi;

before(async () => {
  pooler = await Pooler.start();
  database = await Database.start();
  api = await ReloadApi.start(
    { ...pgbouncerEnvironment(pooler), ...postgresEnvironment(database) },
    database.rest,
  );
});
after(async () => {
  await api?.stop();
  await pooler?.stop();
  await database?.stop();
});

/** What is being closed is closed a moment later. Milliseconds. */
const CLOSED_AFTER_MS = 500;

const KINDS = [
  pg.Client,
  Socket,
  IncomingMessage,
  ServerResponse,
  AbortController,
  AbortSignal,
  Promise,
  Map,
  RegExp,
];

/** How many objects of a kind live, after a collection of garbage. */
function living(): Record<string, number> {
  return Object.fromEntries(KINDS.map((kind) => [kind.name, queryObjects(kind, { format: "count" })]));
}

async function call(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    assert.equal((await api.reload("pgbouncer", 1)).status, 200);
    assert.equal((await api.get("/v1/nothing")).status, 404);
  }
  assert.equal((await api.reload("postgres", 1)).status, 200);
  assert.equal((await api.reload("postgres", 2, 1)).status, 504);
}

test("calls leave nothing behind: no connection, and no object", async () => {
  await call(10);
  await delay(CLOSED_AFTER_MS);
  const before = living();
  await call(50);
  await delay(CLOSED_AFTER_MS);
  const now = living();
  assert.ok(Number(before.Socket) > 0, "what is counted is found");
  for (const { name } of KINDS)
    assert.ok(Number(now[name]) - Number(before[name]) < 10, `${name}: ${before[name]}, then ${now[name]}`);
});
