import { createHash } from "node:crypto";
import { asObject, isObject, type Json, type JsonObject } from "../../json/value.ts";
import type { AuditReport } from "../audit.ts";
import { refTo } from "../finding.ts";
import { allFindings } from "./document.ts";

/** A file with one manifest, to be applied. */
export interface FixFile {
  readonly name: string;
  readonly manifest: JsonObject;
  /** What it mends. */
  readonly codes: readonly string[];
}

/**
 * The manifests that mend what manifests can mend, one for each object: two changes of one object are one file. In the order of names,
 * so that the same report gives the same files.
 */
export function fixesOf(report: AuditReport): FixFile[] {
  const objects = new Map<string, { manifest: JsonObject; codes: Set<string> }>();
  for (const { code, fix = [] } of allFindings(report)) {
    for (const manifest of fix) {
      const { kind, namespace, name } = refTo(manifest);
      const key = JSON.stringify([namespace, kind, name]);
      const known = objects.get(key);
      if (known === undefined) objects.set(key, { manifest, codes: new Set([code]) });
      else {
        known.manifest = asObject(merged(known.manifest, manifest)) ?? manifest;
        known.codes.add(code);
      }
    }
  }
  return [...objects.values()]
    .map(({ manifest, codes }) => ({ name: fileName(manifest), manifest, codes: [...codes] }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Objects are merged key by key; of anything else the second counts. */
function merged(one: Json | undefined, other: Json | undefined): Json | undefined {
  if (!isObject(one) || !isObject(other)) return other;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, Object.hasOwn(other, key) ? merged(one[key], other[key]) : one[key]]),
  );
}

/** File systems take 255 bytes. */
const LONGEST_STEM = 200;
const HASH_LENGTH = 10;

/**
 * `<namespace>_<kind>_<name>.yaml`, and never the same for two objects: what had to be changed to be a file's name, or cut, is told apart
 * by a hash. Names come from the cluster: nothing of them may lead out of the folder.
 */
function fileName(manifest: JsonObject): string {
  const { kind, namespace, name } = refTo(manifest);
  const wanted = [namespace, kind.toLowerCase(), name].join("_");
  const stem = [namespace, kind.toLowerCase(), name].map(fileNamePart).join("_").slice(0, LONGEST_STEM);
  const hash = createHash("sha256").update(wanted).digest("hex").slice(0, HASH_LENGTH);
  return stem === wanted ? `${stem}.yaml` : `${stem}-${hash}.yaml`;
}

const fileNamePart = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "-")
    .replace(/^\.+/, "");
