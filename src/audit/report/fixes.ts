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
  const files = new Map<string, { manifest: JsonObject; codes: Set<string> }>();
  for (const { code, fix = [] } of allFindings(report)) {
    for (const manifest of fix) {
      const { kind, namespace, name } = refTo(manifest);
      const file = `${[namespace, kind, name].map(fileNamePart).join("_")}.yaml`;
      const known = files.get(file);
      if (known === undefined) files.set(file, { manifest, codes: new Set([code]) });
      else {
        known.manifest = asObject(merged(known.manifest, manifest)) ?? manifest;
        known.codes.add(code);
      }
    }
  }
  return [...files]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { manifest, codes }]) => ({ name, manifest, codes: [...codes] }));
}

/** Objects are merged key by key; of anything else the second counts. */
function merged(one: Json | undefined, other: Json | undefined): Json | undefined {
  if (!isObject(one) || !isObject(other)) return other;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, Object.hasOwn(other, key) ? merged(one[key], other[key]) : one[key]]),
  );
}

/** Names come from the cluster: nothing of them may lead out of the folder. */
const fileNamePart = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "-")
    .replace(/^\.+/, "");
