import { at, type JsonObject } from "../json/value.ts";

/** Pods by a label that each of them carries. */
interface ByLabel {
  readonly key: string;
  readonly values: readonly string[];
}

const OPERATORS: readonly ByLabel[] = [
  { key: "name", values: ["postgres-operator"] }, // Zalando's manifests
  { key: "app.kubernetes.io/name", values: ["postgres-operator"] }, // Zalando's chart
  { key: "postgres-operator.crunchydata.com/control-plane", values: ["postgres-operator"] },
  { key: "app", values: ["StackGresOperator", "stackgres-operator"] },
];

/** As the chart labels the pods of `serve`. */
const INJECTOR: ByLabel = { key: "app.kubernetes.io/name", values: ["patroni-injector"] };

/** Label selectors of the API, which together give all neighbours. */
export const NEIGHBOURS: readonly string[] = [...OPERATORS, INJECTOR].map(
  ({ key, values }) => `${key} in (${values.join(",")})`,
);

const carries = (pod: JsonObject, { key, values }: ByLabel): boolean =>
  values.some((value) => at(pod, "metadata", "labels", key) === value);

export const isOperator = (pod: JsonObject): boolean => OPERATORS.some((label) => carries(pod, label));

/** Not the chart's audits, which are the injector's too. */
export const isInjector = (pod: JsonObject): boolean =>
  carries(pod, INJECTOR) && at(pod, "metadata", "labels", "app.kubernetes.io/component") !== "audit";
