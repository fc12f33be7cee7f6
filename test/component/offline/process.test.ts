import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { deployment } from "./manifests.ts";

const MAIN = new URL("../../../src/main.ts", import.meta.url).pathname;

const start = () => spawn(process.execPath, [MAIN, "inject", "-f", "-"], { stdio: ["pipe", "pipe", "pipe"] });

describe("inject as a process", () => {
  test("reads standard input and leaves the exit code", { timeout: 30_000 }, async () => {
    const child = start();
    child.stdin.end("a: [\n");
    const [stderr, [code]] = await Promise.all([child.stderr.toArray(), once(child, "exit")]);
    assert.equal(code, 1);
    assert.match(Buffer.concat(stderr).toString(), /^stdin:2:1: document 1: /);
  });

  test("ends quietly where nobody reads on", { timeout: 30_000 }, async () => {
    const child = start();
    child.stdout.destroy();
    child.stdin.end(`${deployment}---\n`.repeat(2000));
    const [stderr, [code]] = await Promise.all([child.stderr.toArray(), once(child, "exit")]);
    assert.equal(code, 0);
    assert.doesNotMatch(Buffer.concat(stderr).toString(), /EPIPE|Error/);
  });
});
