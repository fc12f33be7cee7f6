import type { FindingCode } from "../contract/findings.ts";
import type { JsonObject } from "../json/value.ts";

/** What a finding is about. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Something that is wrong, or will be: which rule, where, and what was seen there. */
export interface Finding {
  readonly code: FindingCode;
  readonly object: ObjectRef;
  /** Where in the object, for example `spec.template.spec.terminationGracePeriodSeconds`. */
  readonly field?: string;
  /** What was seen, in one line. */
  readonly evidence: string;
  /** Whole manifests that mend it when they are applied. */
  readonly fix?: readonly JsonObject[];
}

/** The object of a manifest, as a finding names it. */
export function refTo(object: JsonObject, defaultKind = ""): ObjectRef {
  const { kind, metadata } = object;
  const { namespace, name } = (metadata ?? {}) as JsonObject;
  return { kind: String(kind ?? defaultKind), namespace: String(namespace ?? ""), name: String(name ?? "") };
}
