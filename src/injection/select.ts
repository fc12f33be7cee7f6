import type { DecisionReason } from "../contract/reasons.ts";
import { asObject, asString, at, type JsonObject } from "../json/value.ts";
import type { Subject } from "./decision.ts";
import type { InjectionSettings, PodSelector, Surroundings } from "./settings.ts";

type Filter = (
  subject: Subject,
  settings: InjectionSettings,
  surroundings: Surroundings,
) => DecisionReason | undefined;

/** Why a pod is left alone before its containers are looked at. The first that answers counts. */
const FILTERS: readonly Filter[] = [
  ({ namespace }, settings) =>
    settings.excludedNamespaces.includes(namespace) ? "namespace-excluded" : undefined,
  ({ pod }) => (annotation(pod, "kubernetes.io/config.mirror") !== undefined ? "static-pod" : undefined),
  ({ pod }, settings) => (roleOf(pod, settings) === undefined ? "not-selected" : undefined),
  ({ pod }) => (annotation(pod, "patroni-injector.io/inject") === "false" ? "opted-out" : undefined),
  ({ pod }) => (isWindows(pod) ? "windows" : undefined),
  ({ job }, _, surroundings) => (job && !surroundings.nativeSidecars ? "job" : undefined),
];

/** Why this pod is not injected, or undefined where nothing stands against it so far. */
export function reasonToSkip(
  subject: Subject,
  settings: InjectionSettings,
  surroundings: Surroundings,
): DecisionReason | undefined {
  for (const filter of FILTERS) {
    const reason = filter(subject, settings, surroundings);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** What a pod is by its labels: one that is selected as both is Patroni's. */
export function roleOf(pod: JsonObject, settings: InjectionSettings): "member" | "pooler" | undefined {
  const labels = asObject(at(pod, "metadata", "labels")) ?? {};
  const isSelected = (selectors: readonly PodSelector[]) =>
    selectors.some((selector) => selects(selector, labels));
  if (isSelected(settings.selectors)) return "member";
  return isSelected(settings.poolerSelectors) ? "pooler" : undefined;
}

function selects({ key, values }: PodSelector, labels: JsonObject): boolean {
  const value = Object.hasOwn(labels, key) ? asString(labels[key]) : undefined;
  return value !== undefined && (values.length === 0 || values.includes(value));
}

function isWindows(pod: JsonObject): boolean {
  return (
    at(pod, "spec", "os", "name") === "windows" ||
    at(pod, "spec", "nodeSelector", "kubernetes.io/os") === "windows"
  );
}

const annotation = (pod: JsonObject, key: string): unknown => at(pod, "metadata", "annotations", key);
