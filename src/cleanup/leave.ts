import { clusterLabelValue } from "../contract/cluster-names.ts";
import { labelOf, metadataOf, nameOf } from "../controller/facts/slim.ts";
import { patroniOf } from "../controller/prune/holders.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import { roleLabelsOf, scopeLabelOf } from "../patroni/labels.ts";

/** Whom Kubernetes is to lead clients to once we are gone, or why that cannot be. */
export type Leaving =
  | {
      readonly kind: "selector";
      readonly selector: Readonly<Record<string, string>>;
      readonly leader: string;
    }
  | { readonly kind: "refuse"; readonly why: string };

const refuse = (why: string): Leaving => ({ kind: "refuse", why });

/**
 * The selector by which a Service finds the primary through Patroni's own role label. What Patroni calls a primary depends on its
 * version and on its configuration, so it is not assumed: it is read from the one pod that leads now.
 *
 * @param cluster the value of the cluster's label
 * @param pods all of the namespace, read just now
 * @param slice the primary's; undefined where there is none (any more)
 */
export function leaving(
  cluster: string,
  pods: readonly JsonObject[],
  slice: JsonObject | undefined,
): Leaving {
  const living = pods.filter((pod) => !hasEnded(pod));
  const members = living.filter((pod) => isMember(pod, cluster));
  if (members.length === 0) return refuse("no pod of the cluster is there");
  const published = slice && objectsIn(slice.endpoints).map((endpoint) => at(endpoint, "targetRef", "uid"));
  if (published?.length === 0) return refuse("no primary is published now: try again when there is one");

  const found = members.flatMap((pod) => {
    const { container } = patroniOf(pod);
    return roleLabelsOf(pod, container).map((role) => ({ pod, role }));
  });
  const [first, ...others] = found;
  if (first === undefined) {
    return refuse(
      "no pod carries Patroni's role label (with a store other than Kubernetes nobody sets it): give your clients another Service",
    );
  }
  if (others.length > 0) {
    return refuse(
      `${found.map(({ pod }) => nameOf(pod)).join(" and ")} carry the label of a primary: try again later`,
    );
  }
  const { pod, role } = first;
  if (published !== undefined && !published.includes(metadataOf(pod).uid ?? null)) {
    return refuse(`Patroni's label names ${nameOf(pod)}, which is not published: try again when both agree`);
  }
  if (!isReady(pod))
    return refuse(`${nameOf(pod)} is not ready: a Service with a selector would lead nowhere`);
  return selectorFor(pod, role, living);
}

function selectorFor(pod: JsonObject, [key, value]: readonly [string, string], pods: readonly JsonObject[]) {
  const { cluster: scope, container } = patroniOf(pod);
  const scopeLabel = scope === undefined ? undefined : scopeLabelOf(pod, container, scope);
  if (scope === undefined || scopeLabel === undefined) {
    return refuse(
      `no label of ${nameOf(pod)} carries the cluster's scope: nothing would tell it from other clusters`,
    );
  }
  const selector = { [scopeLabel]: scope, [key]: value };
  const also = pods.find((other) => other !== pod && isSelected(other, selector));
  if (also !== undefined) return refuse(`${nameOf(also)} carries the same labels as ${nameOf(pod)}`);
  return { kind: "selector" as const, selector, leader: nameOf(pod) };
}

function isMember(pod: JsonObject, cluster: string): boolean {
  const { cluster: scope } = patroniOf(pod);
  return scope !== undefined && clusterLabelValue(scope) === cluster;
}

const hasEnded = (pod: JsonObject): boolean =>
  ["Succeeded", "Failed"].includes(asString(at(pod, "status", "phase")) ?? "");

const isSelected = (pod: JsonObject, selector: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector).every(([key, value]) => labelOf(pod, key) === value);

const isReady = (pod: JsonObject): boolean =>
  asString(asObject(pod.metadata)?.deletionTimestamp) === undefined &&
  objectsIn(at(pod, "status", "conditions")).some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
