/** Bundles the program into dist/main.js for the image: one entry, a chunk for each role, nothing to install. */
import { rm } from "node:fs/promises";
import { build } from "esbuild";

const outdir = "dist";
await rm(outdir, { recursive: true, force: true });
const result = await build({
  entryPoints: ["src/main.ts"],
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  metafile: true,
  platform: "node",
  format: "esm",
  target: "node24",
  legalComments: "none",
  // Bundled CommonJS packages ask for Node's own modules by `require`.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});
const sizes = Object.entries(result.metafile.outputs).map(
  ([file, { bytes }]) => `${file} ${Math.ceil(bytes / 1024)} KiB`,
);
process.stdout.write(`${sizes.join("\n")}\n`);
