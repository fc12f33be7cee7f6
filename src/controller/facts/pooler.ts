import { readOptions } from "../../injection/options.ts";
import { poolerScopeOf } from "../../injection/pooler.ts";
import { reasonToSkip, roleOf } from "../../injection/select.ts";
import type { InjectionSettings } from "../../injection/settings.ts";
import { shapeProblem } from "../../injection/shape.ts";
import { asString, at, type JsonObject } from "../../json/value.ts";
import { type ReloadApi, reloadApiOf } from "../../reload-api/pod.ts";
import { WITHOUT_JOBS } from "./member.ts";
import { type ObjectReference, ownerOf } from "./pod.ts";
import { type SidecarFacts, sidecarFacts } from "./sidecar.ts";

/** What is kept of a pod with PgBouncer and no Patroni. */
export interface PoolerFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of the cluster that it leads to. */
  readonly scope: string;
  readonly serviceAccount: string;
  /** The pod's address; undefined while it has none. */
  readonly ip: string | undefined;
  /** The reload API as its sidecar serves it; undefined where it does not. */
  readonly reloadApi: ReloadApi | undefined;
  readonly ended: boolean;
  readonly terminating: boolean;
  /** Undefined where the pod has no sidecar. */
  readonly container: SidecarFacts | undefined;
  readonly owner: ObjectReference | undefined;
}

/** Undefined for a pod that is no pooler, or of no cluster. */
export function poolerFacts(pod: JsonObject, settings: InjectionSettings): PoolerFacts | undefined {
  const namespace = asString(at(pod, "metadata", "namespace")) ?? "";
  const owner = ownerOf(pod);
  const subject = { pod, namespace, origin: "request", job: owner?.kind === "Job" } as const;
  if (shapeProblem(pod) !== undefined || reasonToSkip(subject, settings, WITHOUT_JOBS) !== undefined)
    return undefined;
  if (roleOf(pod, settings) !== "pooler") return undefined;
  const scope = poolerScopeOf(pod, readOptions(pod).values);
  if (scope === undefined) return undefined;
  const phase = asString(at(pod, "status", "phase"));
  return {
    namespace,
    name: asString(at(pod, "metadata", "name")) ?? "",
    uid: asString(at(pod, "metadata", "uid")) ?? "",
    scope,
    serviceAccount: asString(at(pod, "spec", "serviceAccountName")) || "default",
    ip: asString(at(pod, "status", "podIP")) || undefined,
    reloadApi: reloadApiOf(pod),
    ended: phase === "Succeeded" || phase === "Failed",
    terminating: at(pod, "metadata", "deletionTimestamp") !== undefined,
    container: sidecarFacts(pod),
    owner,
  };
}
