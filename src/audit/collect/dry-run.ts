import { asObject, asString, at, type JsonObject } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { KubeError } from "../../kube/error.ts";
import type { AuditedWorkload } from "../clusters.ts";
import type { Seen } from "../need.ts";
import type { DryRun } from "../snapshot.ts";

/** No StatefulSet has so many pods. */
const ORDINAL = 99_999;

/** Who writes, for the API server's audit log. */
const FIELD_MANAGER = "patroni-injector-audit";

/**
 * Sends a pod as the workload's controller would make it through the API server's whole admission, by a server-side dry-run: nothing
 * is stored, and nobody runs.
 */
export async function dryRun(
  connection: KubeConnection,
  { statefulSet, facts }: AuditedWorkload,
): Promise<Seen<DryRun>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(facts.namespace)}/pods`;
  const query = { dryRun: "All", fieldManager: FIELD_MANAGER };
  try {
    const pod = await connection.send({ method: "POST", path, query, body: podOf(statefulSet) });
    return { value: { kind: "admitted", pod } };
  } catch (error) {
    const { message } = error as Error;
    const isRefusal = error instanceof KubeError && (error.code === 400 || error.code === 422);
    return isRefusal ? { value: { kind: "refused", message } } : { unseen: `dry-run: ${message}` };
  }
}

/** As the StatefulSet controller makes it (kubernetes, newVersionedStatefulSetPod), under an ordinal that no pod has. */
function podOf(statefulSet: JsonObject): JsonObject {
  const template = asObject(at(statefulSet, "spec", "template")) ?? {};
  const metadata = asObject(template.metadata) ?? {};
  const set = asString(at(statefulSet, "metadata", "name")) ?? "";
  const name = `${set}-${ORDINAL}`;
  const claims = at(statefulSet, "spec", "volumeClaimTemplates");
  const volumes = at(template, "spec", "volumes");
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      labels: {
        ...asObject(metadata.labels),
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": String(ORDINAL),
      },
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      name,
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "StatefulSet",
          name: set,
          uid: asString(at(statefulSet, "metadata", "uid")) ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      ...asObject(template.spec),
      hostname: name,
      subdomain: asString(at(statefulSet, "spec", "serviceName")) ?? "",
      volumes: [...(Array.isArray(volumes) ? volumes : []), ...claimVolumes(claims, name)],
    },
  };
}

/** A claim takes the place of a volume of its name. */
const claimVolumes = (claims: unknown, pod: string): JsonObject[] =>
  (Array.isArray(claims) ? claims : []).map((claim) => {
    const name = asString(at(claim, "metadata", "name")) ?? "";
    return { name, persistentVolumeClaim: { claimName: `${name}-${pod}` } };
  });
