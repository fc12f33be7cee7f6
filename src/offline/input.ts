import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

export interface Input {
  /** The path as given; `stdin` for standard input. */
  readonly name: string;
  readonly text: string;
}

export type Reading =
  | { readonly kind: "read"; readonly input: Input }
  | { readonly kind: "failed"; readonly problem: string };

/** Per file, in bytes. Some ten thousand manifests. */
export const MOST_BYTES = 64 * 1024 * 1024;

const MANIFEST = /\.(?:yaml|yml|json)$/;

/** Reads files, directories (their manifests in order of their names) and standard input (`-`). Never throws. */
export async function readInputs(paths: readonly string[], stdin: Readable): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const path of paths) {
    if (path === "-") readings.push(await readAll("stdin", stdin));
    else readings.push(...(await readPath(path)));
  }
  return readings;
}

async function readPath(path: string): Promise<Reading[]> {
  const readings: Reading[] = [];
  try {
    const isDirectory = (await stat(path)).isDirectory();
    const files = isDirectory ? await manifestsIn(path) : [path];
    if (files.length === 0) return [failed(path, "no *.yaml, *.yml or *.json in this directory")];
    for (const file of files) readings.push(await readAll(file, createReadStream(file)));
  } catch (error) {
    readings.push(failed(path, reasonOf(error)));
  }
  return readings;
}

async function manifestsIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && MANIFEST.test(entry.name))
    .map(({ name }) => join(directory, name))
    .sort();
}

async function readAll(name: string, stream: Readable): Promise<Reading> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > MOST_BYTES) return failed(name, `larger than ${MOST_BYTES / 1024 / 1024} MiB`);
      chunks.push(bytes);
    }
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { kind: "read", input: { name, text: decoder.decode(Buffer.concat(chunks)) } };
  } catch (error) {
    return failed(name, reasonOf(error));
  }
}

const failed = (name: string, why: string): Reading => ({ kind: "failed", problem: `${name}: ${why}` });

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES") return "permission denied";
  return code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "not UTF-8" : message;
}
