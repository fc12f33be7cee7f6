import { createHash } from "node:crypto";
import { asObject, asString, at, isObject, type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { KubeObject } from "./objects.ts";

/** Letters that controllers use in hashes (apimachinery `SafeEncodeString`). */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const HASH_LENGTH = 10;

/**
 * The pods of a StatefulSet as its controller would create them, one a replica, in order (kubernetes
 * pkg/controller/statefulset/stateful_set_utils.go). The set must have been read back from an API server: its uid
 * goes into the owner reference.
 */
export function podsOf(statefulSet: KubeObject): KubeObject[] {
  const { spec } = statefulSet;
  const replicas = Number(at(spec, "replicas") ?? 1);
  const start = Number(at(spec, "ordinals", "start") ?? 0);
  return Array.from({ length: replicas }, (_, index) => pod(statefulSet, start + index));
}

function pod(statefulSet: KubeObject, ordinal: number): KubeObject {
  const { apiVersion, kind, metadata, spec } = statefulSet;
  const { name: set = "", namespace = "default", uid = "" } = metadata;
  const name = `${set}-${ordinal}`;
  const template = structuredClone(asObject(at(spec, "template")) ?? {});
  const { annotations, finalizers } = asObject(template.metadata) ?? {};
  const labels = {
    ...asObject(at(template, "metadata", "labels")),
    "statefulset.kubernetes.io/pod-name": name,
    "apps.kubernetes.io/pod-index": String(ordinal),
    "controller-revision-hash": revisionOf(statefulSet),
  };
  const owner = { apiVersion, kind, name: set, uid, controller: true, blockOwnerDeletion: true };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      generateName: `${set}-`,
      namespace,
      labels: labels as Record<string, string>,
      ...(isObject(annotations) ? { annotations: annotations as Record<string, string> } : {}),
      ...(Array.isArray(finalizers) ? { finalizers: finalizers as string[] } : {}),
      ownerReferences: [owner],
    },
    spec: {
      ...asObject(template.spec),
      hostname: name,
      subdomain: asString(at(spec, "serviceName")) ?? "",
      ...volumes(statefulSet, asObject(template.spec), ordinal),
    },
  };
}

/** The claims of the set come first; a volume of the template of the same name gives way. */
function volumes(statefulSet: KubeObject, podSpec: JsonObject | undefined, ordinal: number): JsonObject {
  const names = objectsIn(at(statefulSet.spec, "volumeClaimTemplates")).flatMap(
    (claim) => asString(at(claim, "metadata", "name")) ?? [],
  );
  const claims = names.map((name) => ({
    name,
    persistentVolumeClaim: { claimName: `${name}-${statefulSet.metadata.name}-${ordinal}` },
  }));
  const own = objectsIn(podSpec?.volumes).filter((volume) => !names.includes(String(volume.name)));
  const all = [...claims, ...own];
  return all.length === 0 ? {} : { volumes: all };
}

/** The revision that the controller wrote into the status or, before it has, one of the same form. */
function revisionOf(statefulSet: KubeObject): string {
  const written = asString(at(statefulSet.status, "updateRevision"));
  if (written !== undefined) return written;
  const digest = createHash("sha256")
    .update(JSON.stringify(at(statefulSet.spec, "template") ?? null))
    .digest();
  const hash = [...digest.subarray(0, HASH_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return `${statefulSet.metadata.name}-${hash}`;
}
