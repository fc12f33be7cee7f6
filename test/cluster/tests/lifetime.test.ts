/** A cluster ends with its owner, however that ends. Needs root. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { AuditLevel } from "../audit-log.ts";
import { prepareClusters, startCluster, takeDownOrphans } from "../cluster.ts";
import { readState } from "../node/state.ts";
import { tearDown } from "../node/tear-down.ts";
import { tracesOf } from "./traces.ts";

const GONE_WITHIN_MS = 30_000;

const names: string[] = [];

function newName(kind: string): string {
  const name = `${kind}-${process.pid}`;
  names.push(name);
  return name;
}

before(() => prepareClusters((line) => process.stderr.write(`${line}\n`)));

after(async () => {
  for (const name of names) {
    const state = await readState(name);
    if (state !== undefined) await tearDown(state);
  }
});

async function startOwner(name: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "owner.ts"), name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function guardOf(child: ChildProcess): Promise<number> {
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const [stat, cmdline] = await Promise.all(
      ["stat", "cmdline"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    const isChild = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1] === String(child.pid);
    if (isChild && cmdline?.includes("tear-down-left.ts")) return Number(pid);
  }
  throw new Error("the owner has no guard");
}

test("the guard takes a cluster down when its owner is killed", async () => {
  const name = newName("guarded");
  const owner = await startOwner(name);
  assert.notDeepEqual(await tracesOf(name), []);
  await kill(owner);
  const deadline = performance.now() + GONE_WITHIN_MS;
  while ((await tracesOf(name)).length > 0 && performance.now() < deadline) await delay(200);
  assert.deepEqual(await tracesOf(name), []);
});

test("where the guard was killed as well, whoever looks next takes it down", async () => {
  const name = newName("orphan");
  const owner = await startOwner(name);
  await takeDownOrphans();
  assert.notDeepEqual(await tracesOf(name), [], "its owner lives");
  process.kill(await guardOf(owner), "SIGKILL");
  await kill(owner);
  assert.notDeepEqual(await tracesOf(name), []);
  await takeDownOrphans();
  assert.deepEqual(await tracesOf(name), []);
});

test("a program that does not start is named, with the end of its log, and nothing stays", async () => {
  const name = newName("broken");
  const start = startCluster({ name, detached: false, audit: "Everything" as AuditLevel }, () => {});
  await assert.rejects(start, /kube-apiserver ended: exit code 1\n.*audit/s);
  assert.deepEqual(await tracesOf(name), []);
});
