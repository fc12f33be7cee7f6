import type { AnnotationValues } from "../contract/annotations.ts";
import { primaryServiceName } from "../contract/cluster-names.ts";
import { POOLER_LABEL } from "../contract/names.ts";
import { asObject, asString, at, type JsonObject } from "../json/value.ts";
import type { Subject } from "./decision.ts";

/** What the mutations know of a pod with PgBouncer and no Patroni. */
export interface Pooler {
  readonly role: "pooler";
  readonly namespace: string;
  /** Of the cluster that it leads to, in its own namespace. */
  readonly scope: string;
  readonly options: AnnotationValues;
  readonly primaryService: string;
  readonly hostNetwork: boolean;
  readonly name: string | undefined;
}

export function poolerOf(subject: Subject, scope: string, options: AnnotationValues): Pooler {
  const { pod, namespace, origin } = subject;
  return {
    role: "pooler",
    namespace,
    scope,
    options,
    primaryService: options["primary-service"] ?? primaryServiceName(scope),
    hostNetwork: asObject(pod.spec)?.hostNetwork === true,
    name: origin === "request" ? asString(at(pod, "metadata", "name")) || undefined : undefined,
  };
}

/** Zalando's operator gives its poolers the cluster's name, which is the scope, in this label (its pkg/cluster/connection_pooler.go). */
const SCOPE_LABELS = [POOLER_LABEL, "cluster-name"];

/**
 * The scope of the cluster that a pooler leads to, as its annotation or its labels tell it. Fewer labels than of a member: `version`,
 * where Spilo has the scope, may say anything on any other pod.
 */
export const poolerScopeOf = (pod: JsonObject, options: AnnotationValues): string | undefined =>
  options.cluster ??
  SCOPE_LABELS.map((label) => asString(at(pod, "metadata", "labels", label))).find((value) => !!value);
