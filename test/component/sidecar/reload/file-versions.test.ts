import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Automatic } from "../../../../src/sidecar/reload/automatic.ts";
import { Component } from "../../../../src/sidecar/reload/component.ts";
import { failed, type Outcome, proven } from "../../../../src/sidecar/reload/outcome.ts";
import { FileVersions } from "../../../../src/sidecar/reload/versions/file.ts";
import { readMounted } from "../../../../src/sidecar/reload/versions/volume.ts";
import { MountedVolume } from "../../../services/rig/volume.ts";
import { until } from "../world.ts";
import { SetVersion } from "./world.ts";

async function volume(t: TestContext, files: Readonly<Record<string, string>>): Promise<MountedVolume> {
  const folder = await mkdtemp(join(tmpdir(), "versions-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return MountedVolume.make(join(folder, "volume"), files);
}

test("while the kubelet swaps, every read gives a whole version, never an older one, and never none", async (t) => {
  const mounted = await volume(t, { version: "1" });
  const versions = new FileVersions(mounted.path("version"));
  let swapping = true;
  const swaps = (async () => {
    for (let next = 2; next <= 100; next++) await mounted.swap({ version: `${next}\n` });
    swapping = false;
  })();
  let last = 1;
  let reads = 0;
  while (swapping) {
    const reading = await versions.read();
    assert.equal(reading.kind, "version", JSON.stringify(reading));
    const { version } = reading as { version: number };
    assert.ok(version >= last, `${version} after ${last}`);
    last = version;
    reads++;
  }
  await swaps;
  assert.ok(reads > 20, `${reads} reads`);
  assert.deepEqual(await versions.read(), { kind: "version", version: 100 });
});

test("a path that leads nowhere for a moment is followed again; one that goes on to is an error", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "versions-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await symlink("..later", join(folder, "..data"));
  await symlink(join("..data", "version"), join(folder, "version"));
  await assert.rejects(readMounted(join(folder, "version")), { code: "ENOENT" });
  const reading = readMounted(join(folder, "version"));
  await mkdir(join(folder, "..made"));
  await writeFile(join(folder, "..made", "version"), "7");
  await rename(join(folder, "..made"), join(folder, "..later"));
  assert.equal(await reading, "7");
});

test("a configuration is what was in one folder with its version, or it is read again", async (t) => {
  const mounted = await volume(t, { version: "1", configuration: "1" });
  const versions = new FileVersions(mounted.path("version"));
  const read: string[] = [];
  const component = new Component({
    name: "pgbouncer",
    versions,
    async reload(): Promise<Outcome> {
      read.push(await readMounted(mounted.path("configuration")));
      return proven("console");
    },
    onVersion: () => undefined,
    onReload(version, outcome) {
      if (outcome?.kind === "proven")
        assert.equal(read.at(-1), String(version), "a configuration of another version");
    },
  });
  t.after(() => component.close());
  for (let next = 2; next <= 60; next++) {
    const swap = mounted.swap({ version: String(next), configuration: String(next) });
    const answer = await component.ask(next - 1, 5000, new AbortController().signal);
    assert.equal(answer?.kind, "applied");
    await swap;
  }
});

test("a version that is swapped in is told by the folder, without a look", async (t) => {
  const mounted = await volume(t, { version: "1" });
  let told = 0;
  const stop = new FileVersions(mounted.path("version")).watch(() => void told++);
  t.after(stop);
  await mounted.swap({ version: "2" });
  await until("it to be told", () => told > 0);
});

test("a version that is missing is told with its path; the folder itself may be missing", async () => {
  const reading = await new FileVersions("/nowhere/at/all/version").read();
  assert.match(reading.kind === "none" ? reading.why : "", /\/nowhere\/at\/all\/version/);
  new FileVersions("/nowhere/at/all/version").watch(() => undefined)();
});

function automatic(t: TestContext, outcome: () => Outcome) {
  const version = new SetVersion();
  const reloads: number[] = [];
  const component: Component = new Component({
    name: "pgbouncer",
    versions: version,
    async reload(asked) {
      reloads.push(asked);
      return outcome();
    },
    onReload: () => undefined,
    onVersion: () => void own.changed(),
  });
  const own = new Automatic(component);
  t.after(() => {
    own.stop();
    component.close();
  });
  return { version, reloads, component };
}

test("automatic: each version that is higher than what was proven is reloaded once; a lower one is not", async (t) => {
  const { version, reloads, component } = automatic(t, () => proven("console"));
  version.set(3);
  await until("3", () => component.status.applied === 3);
  version.set(5);
  await until("5", () => component.status.applied === 5);
  version.set(4);
  await component.look();
  version.set(undefined);
  await component.look();
  version.set(6);
  await until("6", () => component.status.applied === 6);
  assert.deepEqual(reloads, [3, 5, 6]);
});

test("automatic: a faulty configuration is not tried again until another version comes", async (t) => {
  let isFaulty = true;
  const { version, reloads, component } = automatic(t, () =>
    isFaulty ? failed("configuration-invalid", "faults") : proven("console"),
  );
  version.set(3);
  await until("the fault", () => component.status.failure !== undefined);
  await component.look();
  isFaulty = false;
  version.set(4);
  await until("4", () => component.status.applied === 4);
  assert.deepEqual(reloads, [3, 4]);
});
