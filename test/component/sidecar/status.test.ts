import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Answer, PRIMARY, REPLICA, ScriptedMember } from "./scripted-member.ts";
import { type Place, type Settings, World } from "./world.ts";

const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

async function status(world: World, place: Place, settings: Settings = {}) {
  await world.writeToken(place);
  const env = { PATH: process.env.PATH ?? "", ...(await world.environment(place, settings)) };
  return new Promise<{ code: number; text: string }>((resolve) => {
    execFile(process.execPath, [MAIN, "status"], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, text: stdout + stderr }),
    );
  });
}

test("status says what is seen, and what is wrong, with an exit code", async (t) => {
  const world = await World.open(t, { slice: false });
  const member = await new ScriptedMember("pg-0", "127.24.0.1").start();
  t.after(() => member.stop());

  member.answer = REPLICA;
  const absent = await status(world, member);
  assert.equal(absent.code, 1);
  assert.match(absent.text, /^Wrong +EndpointSlice db\/pg-primary does not exist/m);

  await world.makeSlice();
  const replica = await status(world, member);
  assert.equal(replica.code, 0, replica.text);
  assert.match(
    replica.text,
    /^Patroni +http:\/\/127\.24\.0\.1:\d+ +503, role replica, state running, timeline 1, version 4\.1\.5$/m,
  );
  assert.match(replica.text, /^API server +127\.0\.0\.1:\d+ +answers$/m);
  assert.match(replica.text, /^EndpointSlice +db\/pg-primary +shows nobody, term none$/m);
  assert.match(replica.text, /^Permissions +get endpointslices db\/pg-primary/m);
  assert.match(replica.text, /^Wrong +nothing$/m);

  member.answer = PRIMARY;
  const unpublished = await status(world, member);
  assert.equal(unpublished.code, 1);
  assert.match(unpublished.text, /this member is the primary, and is not published/);

  await world.sidecar(member);
  await world.recorder.shows([member.host], 10_000);
  const published = await status(world, member);
  assert.equal(published.code, 0, published.text);
  assert.match(published.text, /shows 127\.24\.0\.1, term 7391026471882319361\/1/);

  const silent: Answer = (_, { socket }) => void socket?.destroy();
  member.answer = silent;
  const mute = await status(world, member);
  assert.equal(mute.code, 1);
  assert.match(mute.text, /^Wrong +Patroni: no answer/m);

  world.api.faults.add({ kind: "status", status: 403, match: { verb: "get", user: world.userOf(member) } });
  const forbidden = await status(world, member);
  assert.equal(forbidden.code, 1);
  assert.match(forbidden.text, /^Wrong +permission missing: .* may not get endpointslices db\/pg-primary/m);
});

test("status beside PgBouncer alone: the slice, and what it may do with it", async (t) => {
  const world = await World.open(t, { slice: false });
  await world.writeToken({ name: "pool-0" });
  const environment = await world.poolerEnvironment("pool-0");
  const run = () =>
    new Promise<{ code: number; text: string }>((resolve) => {
      execFile(
        process.execPath,
        [MAIN, "status"],
        { env: { PATH: process.env.PATH ?? "", ...environment } },
        (error, out) => resolve({ code: typeof error?.code === "number" ? error.code : 0, text: out }),
      );
    });
  const absent = await run();
  assert.equal(absent.code, 1);
  assert.match(absent.text, /^Wrong +EndpointSlice db\/pg-primary does not exist/m);
  await world.makeSlice({ endpoints: [{ addresses: ["10.0.0.1"] }] });
  const followed = await run();
  assert.equal(followed.code, 0, followed.text);
  assert.match(followed.text, /^EndpointSlice +db\/pg-primary +shows 10\.0\.0\.1/m);
  assert.match(followed.text, /^Permissions +get endpointslices db\/pg-primary.*; watch endpointslices/m);
  assert.doesNotMatch(followed.text, /Patroni|update/);
});

test("status without the sidecar's environment says what is not set", async () => {
  const { code, text } = await new Promise<{ code: number; text: string }>((resolve) => {
    execFile(
      process.execPath,
      [MAIN, "status"],
      { env: { PATH: process.env.PATH ?? "" } },
      (error, _, stderr) => resolve({ code: typeof error?.code === "number" ? error.code : 0, text: stderr }),
    );
  });
  assert.equal(code, 1);
  assert.match(text, /^patroni-injector status: .*POD_NAME is not set/);
});
