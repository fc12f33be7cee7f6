import { asString, at, type JsonObject } from "../json/value.ts";
import { knownEnvValue } from "./env.ts";
import { SCOPE_LABEL_VARIABLES, SCOPE_LABELS } from "./identity.ts";

/**
 * The labels that Patroni itself keeps on its pods, with Kubernetes as DCS (Patroni's kubernetes.py): `role`, or as configured;
 * Spilo and Zalando's operator `spilo-role`, Crunchy's operator its own.
 */
const ROLE_LABELS = ["spilo-role", "postgres-operator.crunchydata.com/role", "role"] as const;
const ROLE_LABEL_VARIABLES = ["PATRONI_KUBERNETES_ROLE_LABEL", "KUBERNETES_ROLE_LABEL"] as const;

/** What it calls a primary: `master` up to 3.x and in every Spilo, `primary` from 4.0, or as configured. */
const LEADERS = ["primary", "master"] as const;
const LEADER_VARIABLES = ["PATRONI_KUBERNETES_LEADER_LABEL_VALUE", "KUBERNETES_LEADER_LABEL_VALUE"] as const;

/** The label that says that a pod is the primary, with its value: none or one. */
export function roleLabelsOf(pod: JsonObject, container: JsonObject): (readonly [string, string])[] {
  const configured = knownIn(pod, container, ROLE_LABEL_VARIABLES);
  const leaders = [...knownIn(pod, container, LEADER_VARIABLES), ...LEADERS];
  const found = [...configured, ...ROLE_LABELS].flatMap((key) => {
    const value = asString(at(pod, "metadata", "labels", key));
    return value !== undefined && leaders.includes(value) ? [[key, value] as const] : [];
  });
  return found.slice(0, 1);
}

/** The label that carries the cluster's scope. */
export function scopeLabelOf(pod: JsonObject, container: JsonObject, scope: string): string | undefined {
  const configured = knownIn(pod, container, SCOPE_LABEL_VARIABLES);
  return [...configured, ...SCOPE_LABELS].find((key) => at(pod, "metadata", "labels", key) === scope);
}

const knownIn = (pod: JsonObject, container: JsonObject, names: readonly string[]): string[] =>
  names.flatMap((name) => knownEnvValue(pod, container, name) || []);
