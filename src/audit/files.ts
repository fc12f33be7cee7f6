import { NAMESPACE_LABEL } from "../contract/names.ts";
import { asObject, asString, at, type JsonObject } from "../json/value.ts";
import { readDocuments, type SourceDocument } from "../offline/documents.ts";
import type { Input } from "../offline/input.ts";
import { offsetOf } from "../offline/locate.ts";
import { parseDocument } from "../offline/parse.ts";
import type { Item } from "../offline/workloads.ts";
import type { Finding } from "./finding.ts";
import { ONLY_LIVE } from "./need.ts";
import type { Place } from "./report/sarif.ts";
import { type AuditKind, KINDS, ObjectIndex, type Snapshot } from "./snapshot.ts";

/** Only a running cluster has these: a file that holds one says nothing of it. */
const LIVE: readonly AuditKind[] = ["Node", "Endpoints", "EndpointSlice", "MutatingWebhookConfiguration"];

interface Placed {
  readonly object: JsonObject;
  readonly source: SourceDocument;
  readonly item: Item;
}

export interface Manifests {
  readonly snapshot: Snapshot;
  /** Where a finding's object stands; undefined where it stands in no file. */
  locate(finding: Finding): Place | undefined;
  /** One line each, with file, line and column: what could not be read. */
  readonly problems: readonly string[];
}

/**
 * Manifests as an audit sees them: as if they were applied to an empty cluster, in namespaces that have opted in unless the files say
 * otherwise.
 */
export function manifests(inputs: readonly Input[], defaultNamespace: string): Manifests {
  const read = inputs.map(readDocuments);
  const placed = read
    .flatMap(({ documents }) => documents)
    .flatMap((source) =>
      source.items.map((item) => ({ object: objectOf(item, defaultNamespace), source, item })),
    );
  const objects = [...placed.map(({ object }) => object), ...missingNamespaces(placed)];
  const byKind = Map.groupBy(objects, ({ kind }) => kind);
  const indices = new Map([...byKind].map(([kind, list]) => [kind, new ObjectIndex(list)]));
  return {
    snapshot: {
      live: false,
      objects: (kind, namespace) =>
        LIVE.includes(kind) ? ONLY_LIVE : { value: indices.get(kind)?.in(namespace) ?? [] },
      neighbours: () => ({ value: indices.get("Pod")?.all ?? [] }),
      answers: () => ONLY_LIVE,
      access: () => ONLY_LIVE,
      dryRun: () => ONLY_LIVE,
      shown: () => ONLY_LIVE,
      replicas: () => [],
    },
    locate: (finding) => placeOf(finding, placed),
    problems: read.flatMap(({ problems }) => problems),
  };
}

/** As `kubectl apply` sends it: in a namespace, unless it has none. */
function objectOf({ object, namespace }: Item, defaultNamespace: string): JsonObject {
  if (object.kind === "Namespace") return object;
  const metadata = asObject(object.metadata) ?? {};
  return { ...object, metadata: { ...metadata, namespace: namespace ?? defaultNamespace } };
}

function missingNamespaces(placed: readonly Placed[]): JsonObject[] {
  const names = new Set<string>();
  const written = new Set<string>();
  for (const { object } of placed) {
    if (object.kind === "Namespace") written.add(asString(at(object, "metadata", "name")) ?? "");
    else if (KINDS.includes(object.kind as AuditKind))
      names.add(asString(at(object, "metadata", "namespace")) ?? "");
  }
  return [...names]
    .filter((name) => !written.has(name))
    .map((name) => ({
      kind: "Namespace",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name, [NAMESPACE_LABEL]: "enabled" } },
    }));
}

function placeOf({ object, field }: Finding, placed: readonly Placed[]): Place | undefined {
  const found = placed.find(
    (each) =>
      each.object.kind === object.kind &&
      at(each.object, "metadata", "name") === object.name &&
      (object.namespace === "" || at(each.object, "metadata", "namespace") === object.namespace),
  );
  if (found === undefined) return undefined;
  const { source, item } = found;
  const parsed = parseDocument(source.text);
  const path = [...item.path, ...stepsOf(field ?? "")];
  const offset = parsed.kind === "read" ? offsetOf(parsed.document, path) : 0;
  return { file: source.file, line: source.line + source.text.slice(0, offset).split("\n").length - 1 };
}

/** A dot within a key is written `\.`, as `kubectl` has it. */
const stepsOf = (field: string): string[] =>
  field
    .split(/(?<!\\)\./)
    .filter((step) => step !== "")
    .map((step) => step.replaceAll("\\.", "."));
