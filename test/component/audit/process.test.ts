import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { stringify } from "yaml";
import { statefulSet, threeMembers } from "../../unit/audit/world.ts";
import { order, startConnected, temporaryFolder, until } from "../kube/support.ts";
import { keep } from "./world.ts";

const MAIN = new URL("../../../src/main.ts", import.meta.url).pathname;
const TIMEOUT = { timeout: 30_000 };

async function manifest(t: TestContext): Promise<string> {
  const file = join(await temporaryFolder(t), "pg.yaml");
  await writeFile(file, stringify(statefulSet()));
  return file;
}

describe("audit as a process", () => {
  it("ends by SIGTERM with exit code 2, and writes nothing", TIMEOUT, async (t) => {
    const { api, connection, kubeconfig } = await startConnected(t);
    await keep(connection, threeMembers());
    const hung = order(api, { kind: "hang" }, { resource: "subjectaccessreviews.authorization.k8s.io" });
    const fixes = join(await temporaryFolder(t), "fixes");
    const argv = ["audit", "-A", "--kubeconfig", kubeconfig, "--fix-dir", fixes];
    const child = spawn(process.execPath, [MAIN, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    await until("it asks", () => hung.hits > 0);
    child.kill("SIGTERM");
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /^audit: interrupted by SIGTERM$/m);
    assert.equal(existsSync(fixes), false);
  });

  it("says where its report could not be written, and ends with exit code 2", TIMEOUT, async (t) => {
    const full = await open("/dev/full", "w");
    t.after(() => full.close());
    const child = spawn(process.execPath, [MAIN, "audit", "-f", await manifest(t)], {
      stdio: ["ignore", full.fd, "pipe"],
    });
    const [stderr, [code]] = await Promise.all([
      text(child.stderr as NonNullable<typeof child.stderr>),
      once(child, "close"),
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /^audit: ENOSPC/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  it("leaves no fixes on a disk that is full", TIMEOUT, async (t) => {
    const fixes = join(await temporaryFolder(t), "fixes");
    const file = await manifest(t);
    const command = 'ulimit -f 0; exec "$@"';
    const argv = ["-c", command, "sh", process.execPath, MAIN, "audit", "-f", file, "--fix-dir", fixes];
    const child = spawn("sh", argv, { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close"),
    ]);
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, /^audit: EFBIG/);
  });
});
