import assert from "node:assert/strict";
import { isBuiltin } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Node's own modules that a role may load: nothing that brings a client library, a parser of YAML or undici with it. */
const ALLOWED = ["fs", "http", "https", "net", "path", "string_decoder", "timers/promises", "tls"];

/** What is imported only when it is asked for does not count. */
const LATER = "./reload/start.ts";

const FOLDERS = ["contract", "json", "kube", "patroni", "primary", "sidecar"];

// The sidecar lives in 64 MiB beside every database: what it does not load is what makes it small.
for (const command of ["command.ts", "status-command.ts"]) {
  test(`sidecar/${command} loads nothing but its own files and a few of Node's modules`, async () => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL(`../../../src/sidecar/${command}`, import.meta.url))],
      bundle: true,
      platform: "node",
      format: "esm",
      write: false,
      metafile: true,
      external: [LATER],
    });
    const inputs = Object.keys(metafile.inputs);
    assert.deepEqual(
      inputs.filter((file) => file.includes("node_modules")),
      [],
    );
    const folders = new Set(inputs.map((file) => /src\/([^/]+)\//.exec(file)?.[1]));
    assert.deepEqual(
      [...folders].filter((folder) => !FOLDERS.includes(folder ?? "")),
      [],
    );
    const kube = inputs.filter((file) => file.includes("src/kube/"));
    assert.ok(
      kube.every((file) => file.endsWith("/lines.ts")),
      kube.join(),
    );
    const external = Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports.filter((one) => one.external),
    );
    const names = new Set(external.map(({ path }) => path).filter((path) => path !== LATER));
    assert.ok([...names].every(isBuiltin));
    assert.deepEqual(
      [...names].map((name) => name.replace("node:", "")).filter((name) => !ALLOWED.includes(name)),
      [],
    );
  });
}

test("the reload API loads its two packages only once they are needed, and no other", async () => {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL("../../../src/sidecar/reload/start.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    metafile: true,
    packages: "external",
  });
  const packages = Object.values(metafile.inputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, path }) => external && !isBuiltin(path));
  assert.deepEqual([...new Set(packages.map(({ path, kind }) => `${kind} ${path}`))].sort(), [
    "dynamic-import jose",
    "dynamic-import pg",
  ]);
});
