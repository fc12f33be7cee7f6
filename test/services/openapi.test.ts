import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Component } from "../../src/sidecar/reload/component.ts";
import { reloadApi } from "../../src/sidecar/reload/http/api.ts";
import { failed, type Outcome, proven } from "../../src/sidecar/reload/outcome.ts";
import type { VersionSource } from "../../src/sidecar/reload/versions/source.ts";
import { ensurePrograms } from "./rig/programs.ts";

const TOKEN = "a-token";

/** Every version is in the pod. */
const versions: VersionSource = {
  pollMs: 1000,
  read: async () => ({ kind: "version", version: Number.MAX_SAFE_INTEGER }),
  watch: () => () => undefined,
};
/** Reloads end in turn as each of these. */
const OUTCOMES: readonly Outcome[] = [
  proven("console", ["listen_backlog"]),
  proven("load-time"),
  failed("reload-rejected", "its words"),
  failed("configuration-invalid", "faults", [{ file: "f", line: 1, message: "m" }]),
  failed("reload-unproven", "nothing"),
];

test("the API answers as its document says, whatever it is asked (schemathesis)", async (t) => {
  const { schemathesis } = await ensurePrograms();
  let turn = 0;
  const components = (["postgres", "pgbouncer"] as const).map(
    (name) =>
      new Component({
        name,
        versions,
        reload: async () => OUTCOMES[turn++ % OUTCOMES.length] as Outcome,
        onReload: () => undefined,
        onVersion: () => undefined,
      }),
  );
  const faults: unknown[] = [];
  const server = createServer(
    reloadApi({
      components,
      admit: async ({ headers }) =>
        headers.authorization === `Bearer ${TOKEN}`
          ? { kind: "admitted", caller: "test" }
          : { kind: "refused", problem: "unauthenticated", why: "there is no bearer token" },
      onAnswer: () => undefined,
      onFault: (fault) => void faults.push(fault),
    }),
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = await mkdtemp(join(tmpdir(), "schemathesis-"));
  t.after(async () => {
    for (const component of components) component.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { port } = server.address() as AddressInfo;
  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(
      schemathesis,
      [
        "run",
        `http://127.0.0.1:${port}/v1/openapi.json`,
        `--header=Authorization: Bearer ${TOKEN}`,
        "--checks=all",
        // 502 and 422 are answers to requests that are as they must be.
        "--exclude-checks=not_a_server_error,positive_data_acceptance",
        "--max-examples=150",
        "--workers=2",
        "--seed=1",
        "--no-color",
      ],
      { cwd: folder, timeout: 240_000, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
  assert.equal(code, 0, output.slice(-6000));
  assert.deepEqual(faults, []);
});
