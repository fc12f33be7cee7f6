import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { identify, isOrphan } from "../../cluster/node/state.ts";

const STATE = { name: "x", cgroup: "patroni-injector-x" };

test("a cluster without an owner is nobody's orphan", async () => {
  assert.equal(await isOrphan(STATE), false);
});

test("a cluster is an orphan once its owner has ended", async () => {
  const child = spawn("sleep", ["60"]);
  const owner = await identify(child.pid ?? 0);
  assert.ok(owner);
  assert.equal(await isOrphan({ ...STATE, owner }), false);
  child.kill();
  await once(child, "exit");
  assert.equal(await isOrphan({ ...STATE, owner }), true);
});

test("a later process with the owner's pid is not the owner", async () => {
  const self = await identify(process.pid);
  assert.ok(self);
  assert.equal(
    await isOrphan({ ...STATE, owner: { ...self, startedAt: `${Number(self.startedAt) - 1}` } }),
    true,
  );
});
