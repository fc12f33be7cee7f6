import { NAMESPACE_LABEL } from "../contract/names.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import { need } from "./need.ts";
import type { Remembered, ReplicaMemory } from "./remembered.ts";
import type { Snapshot } from "./snapshot.ts";

/** What namespaces in audit mode would have got, as all replicas together remember it. */
export interface AuditMode {
  /** Those that are in audit mode and were audited, by name. */
  readonly namespaces: readonly string[];
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

/** Pods with this reason would have been changed; with any other one they would have stayed as they are, or been refused. */
const CHANGED = "injected";

export const isChange = ({ reason }: AuditModeGroup): boolean => reason === CHANGED;

/** What would have become of a group's pods: the reason of a pod that would have been changed is that of one that is. */
export const wouldBe = (group: AuditModeGroup): string =>
  isChange(group) ? "would be injected" : group.reason;

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

/** In a replica's answer anything may stand that calls itself one: what shows in reports is of the form that the real ones have. */
const NAME = /^[a-z0-9][a-z0-9.-]{0,252}$/;
const REASON = /^[a-z][a-z-]{0,62}$/;

/**
 * Reads what a replica answered. Entries that are none are left out.
 *
 * @throws Error where the answer is no replica's
 */
export function rememberedIn(answer: JsonObject): Remembered {
  const since = Date.parse(asString(answer.since) ?? "");
  if (Number.isNaN(since) || !Array.isArray(answer.decisions))
    throw new Error("the answer is not that of a replica of `serve`");
  const decisions = objectsIn(answer.decisions).flatMap((each) => {
    const [namespace = "", pod = "", reason = ""] = [each.namespace, each.name, each.reason].map(asString);
    return NAME.test(namespace) && NAME.test(pod) && REASON.test(reason) ? [{ namespace, pod, reason }] : [];
  });
  return { since: new Date(since).toISOString(), decisions };
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
  return { namespaces: [...namespaces].sort(), groups, since, unread };
}
