import { NAMESPACE_LABEL } from "../contract/names.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import { need } from "./need.ts";
import type { Remembered, ReplicaMemory } from "./remembered.ts";
import type { Snapshot } from "./snapshot.ts";

/** What namespaces in audit mode would have got, as all replicas together remember it. */
export interface AuditMode {
  readonly groups: readonly AuditModeGroup[];
  /** By replica that told. */
  readonly since: Readonly<Record<string, string>>;
  /** Replicas that could not be read: what they decided is missing here. */
  readonly unread: readonly { readonly replica: string; readonly why: string }[];
}

export interface AuditModeGroup {
  readonly namespace: string;
  readonly reason: string;
  /** Each name once. */
  readonly pods: readonly string[];
}

/** Which namespaces are in audit mode. @param namespaces of these; of all where it is undefined */
export function auditModeNamespaces(
  snapshot: Snapshot,
  namespaces: readonly string[] | undefined,
): ReadonlySet<string> {
  const all = need(snapshot.objects("Namespace"))
    .filter((object) => at(object, "metadata", "labels", NAMESPACE_LABEL) === "audit")
    .flatMap(({ metadata }) => asString(at(metadata, "name")) ?? []);
  return new Set(all.filter((name) => namespaces?.includes(name) ?? true));
}

/** Reads what a replica answered. Entries that are none are left out. */
export function rememberedIn(answer: JsonObject): Remembered {
  const decisions = objectsIn(answer.decisions).flatMap((each) => {
    const [namespace, pod, reason] = [each.namespace, each.name, each.reason].map(asString);
    return namespace === undefined || pod === undefined || reason === undefined
      ? []
      : [{ namespace, pod, reason }];
  });
  return { since: asString(answer.since) ?? "", decisions };
}

/** Of these namespaces, by namespace and reason. */
export function auditModeOf(replicas: readonly ReplicaMemory[], namespaces: ReadonlySet<string>): AuditMode {
  const since: Record<string, string> = {};
  const unread: { replica: string; why: string }[] = [];
  const pods = new Map<string, { namespace: string; reason: string; pods: Set<string> }>();
  for (const { replica, told } of replicas) {
    if ("unseen" in told) {
      unread.push({ replica, why: told.unseen });
      continue;
    }
    since[replica] = told.value.since;
    for (const { namespace, pod, reason } of told.value.decisions) {
      if (!namespaces.has(namespace)) continue;
      const key = JSON.stringify([namespace, reason]);
      const group = pods.get(key) ?? { namespace, reason, pods: new Set() };
      pods.set(key, group);
      group.pods.add(pod);
    }
  }
  const groups = [...pods]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, group]) => ({ ...group, pods: [...group.pods].sort() }));
  return { groups, since, unread };
}
