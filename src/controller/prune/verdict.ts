import { UNUSED_SINCE_ANNOTATION } from "../../contract/service-annotations.ts";
import { asString, at, type JsonObject } from "../../json/value.ts";
import { isPatroniAccessFor, isPoolerAccessFor } from "../desired/access-names.ts";
import { isOurs } from "../desired/object.ts";
import { annotationOf, nameOf, namespaceOf } from "../facts/slim.ts";
import type { ResourceName } from "../resources.ts";
import { type Moment, unusedForMs } from "./clocks.ts";
import type { Holder } from "./holders.ts";

/** An object that carries the labels of a cluster. */
export interface Made {
  readonly resource: ResourceName;
  readonly object: JsonObject;
}

/** What is known when it is decided what of a cluster's objects may go. */
export interface Circumstances {
  /** What the cluster, as it is known, is to have: `<resource>/<namespace>/<name>`. Empty where work on it has ended. */
  readonly wanted: ReadonlySet<string>;
  /** The uids of those holders whose wishes are among what is wanted. */
  readonly known: ReadonlySet<string>;
  readonly holders: readonly Holder[];
  readonly now: Moment;
  /** Somebody asks for it: then Services and slices need not wait, and a workload that is none of ours any more keeps none. */
  readonly byHand: boolean;
}

export type Verdict =
  /** @property holder who keeps it, where somebody does who may go */
  | { readonly kind: "keep"; readonly why: string; readonly holder?: string }
  | { readonly kind: "remove" }
  /** From now on the time runs in which the Service is not used. */
  | { readonly kind: "mark" }
  /** It is used again. */
  | { readonly kind: "unmark" };

/** A Service keeps its address for this long for a workload that comes back. Milliseconds. */
export const PATIENCE_MS = 24 * 3_600_000;

export const keyOf = (resource: ResourceName, object: JsonObject): string =>
  `${resource}/${namespaceOf(object)}/${nameOf(object)}`;

const keep = (why: string): Verdict => ({ kind: "keep", why });
const keepFor = ({ name }: Holder, why: string): Verdict => ({ kind: "keep", why, holder: name });

/**
 * What is to become of one object. Nothing goes that somebody else made, that is wanted, or that a pod may need:
 *
 * - what a sidecar or a member's name rests on, while any pod that is not known carries one;
 * - what poolers' sidecars may do, while one is there with that ServiceAccount; nothing else stays for a pooler;
 * - what Patroni itself may do, while anything runs it with that ServiceAccount;
 * - a Service, before its time; one whose address the world outside may know, never.
 */
export function verdictOn({ resource, object }: Made, circumstances: Circumstances): Verdict {
  if (!isOurs(object)) return keep("somebody else made it");
  const { wanted, byHand } = circumstances;
  const isMarked = annotationOf(object, UNUSED_SINCE_ANNOTATION) !== undefined;
  if (wanted.has(keyOf(resource, object))) return isMarked ? { kind: "unmark" } : keep("it is in use");
  if (resource === "services" && !byHand) return waiting(object, circumstances);

  const pooler = circumstances.holders.find(
    (holder) => holder.pooler && isPoolerAccessFor(object, holder.serviceAccount),
  );
  if (pooler !== undefined && !circumstances.known.has(pooler.uid))
    return keepFor(pooler, `the sidecar of ${pooler.name} needs it`);
  const holders = circumstances.holders.filter((holder) => !holder.pooler);
  const account = holders.find(({ serviceAccount }) => isPatroniAccessFor(object, serviceAccount));
  if (account !== undefined) return keepFor(account, `Patroni needs it in ${account.name}`);
  const attached = holders.find((holder) => holder.attached && !circumstances.known.has(holder.uid));
  if (attached !== undefined)
    return keepFor(attached, `${attached.name} still has the sidecar, or a name that rests on it`);
  if (resource === "services") return outside(object) ?? { kind: "remove" };
  if (resource === "endpointslices" && !byHand) return keep("it goes with its Service");
  return { kind: "remove" };
}

function waiting(service: JsonObject, { holders, now }: Circumstances): Verdict {
  const stamp = annotationOf(service, UNUSED_SINCE_ANNOTATION);
  const holder = holders.find(({ pooler }) => !pooler);
  if (holder !== undefined) {
    return stamp === undefined ? keepFor(holder, `${holder.name} may need it`) : { kind: "unmark" };
  }
  const kept = outside(service);
  if (kept !== undefined) return kept;
  const unusedMs = unusedForMs(stamp, now);
  if (unusedMs === undefined) return { kind: "mark" };
  return unusedMs >= PATIENCE_MS ? { kind: "remove" } : keep("its workload may come back");
}

/** Its address, or its port on every node, is known outside the cluster, and would not come back. */
function outside(service: JsonObject): Verdict | undefined {
  const type = asString(at(service, "spec", "type")) ?? "ClusterIP";
  return type === "LoadBalancer" || type === "NodePort" ? keep(`it is of type ${type}`) : undefined;
}
