import assert from "node:assert/strict";
import { isBuiltin } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Node's own modules that a role may load: nothing that brings a client library, a parser of YAML or undici with it. */
const ALLOWED = ["fs", "http", "https", "net", "path", "string_decoder", "timers/promises", "tls"];

/** What is imported only when it is asked for does not count. */
const LATER = ["./reload/start.ts", "./reload/reconnect.ts"];

const FOLDERS = ["cli", "contract", "http", "json", "kube", "patroni", "primary", "sidecar"];

// The sidecar lives in 64 MiB beside every database: what it does not load is what makes it small.
for (const command of ["command.ts", "pooler.ts", "status-command.ts"]) {
  test(`sidecar/${command} loads nothing but its own files and a few of Node's modules`, async () => {
    const { metafile } = await build({
      entryPoints: [fileURLToPath(new URL(`../../../src/sidecar/${command}`, import.meta.url))],
      bundle: true,
      platform: "node",
      format: "esm",
      write: false,
      metafile: true,
      external: LATER,
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
    const names = new Set(external.map(({ path }) => path).filter((path) => !LATER.includes(path)));
    assert.ok([...names].every(isBuiltin));
    assert.deepEqual(
      [...names].map((name) => name.replace("node:", "")).filter((name) => !ALLOWED.includes(name)),
      [],
    );
  });
}

const PACKAGES: readonly (readonly [string, readonly string[]])[] = [
  ["start.ts", ["dynamic-import jose", "dynamic-import pg"]],
  ["reconnect.ts", ["dynamic-import pg"]],
];
for (const [file, expected] of PACKAGES) {
  test(`sidecar/reload/${file} loads a package only once it is needed: ${expected.join(", ")}`, async () => {
    const inputs = await inputsOf(`reload/${file}`);
    const packages = Object.values(inputs)
      .flatMap(({ imports }) => imports)
      .filter(({ external, path }) => external && !isBuiltin(path));
    assert.deepEqual([...new Set(packages.map(({ path, kind }) => `${kind} ${path}`))].sort(), expected);
  });
}

test("a pooler's sidecar loads nothing of discovery, nor of the reload API", async () => {
  const files = Object.keys({ ...(await inputsOf("pooler.ts")), ...(await inputsOf("reload/reconnect.ts")) });
  const others = files.filter((file) =>
    /sidecar\/(member|discovery|patroni|leader-view|slice-view)\.ts|reload\/(start|auth|http|postgres)/.test(
      file,
    ),
  );
  assert.deepEqual(others, []);
});

/** The files that one loads, at once or later, but for what is in packages and in {@link LATER}. */
async function inputsOf(file: string) {
  const { metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`../../../src/sidecar/${file}`, import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    metafile: true,
    packages: "external",
    external: LATER,
  });
  return metafile.inputs;
}
