import type { Subject } from "../injection/decision.ts";
import { asObject, asString, at, isObject, type Json, type JsonObject } from "../json/value.ts";

/** Where the pods of a kind are, and what they will be. */
interface Workload {
  readonly group: string;
  readonly template: readonly string[];
  readonly origin: Subject["origin"];
  readonly job: boolean;
}

const template = (group: string, origin: Subject["origin"] = "template"): Workload => ({
  group,
  template: ["spec", "template"],
  origin,
  job: false,
});

const WORKLOADS: Readonly<Record<string, Workload>> = {
  Pod: { group: "", template: [], origin: "request", job: false },
  ReplicationController: template(""),
  StatefulSet: template("apps", "stateful-template"),
  Deployment: template("apps"),
  DaemonSet: template("apps"),
  ReplicaSet: template("apps"),
  Job: { ...template("batch"), job: true },
  CronJob: { ...template("batch"), template: ["spec", "jobTemplate", "spec", "template"], job: true },
};

/** An object of a document: the document itself, or an item of a List. */
export interface Item {
  /** Keys and indices that lead to it from the document. */
  readonly path: readonly (string | number)[];
  readonly object: JsonObject;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

/** The objects of a document; those of a List one by one, Lists in Lists too. Values that are no objects give none. */
export function itemsIn(value: Json, path: Item["path"] = []): Item[] {
  if (!isObject(value)) return [];
  if (isKind(value, "List", "") && Array.isArray(value.items)) {
    return value.items.flatMap((item, index) => itemsIn(item, [...path, "items", index]));
  }
  const metadata = asObject(value.metadata) ?? {};
  return [
    {
      path,
      object: value,
      kind: asString(value.kind) ?? "",
      name: asString(metadata.name) || asString(metadata.generateName) || "",
      namespace: asString(metadata.namespace) || undefined,
    },
  ];
}

/** Where the pod, or the pod template, is in an object; undefined where the object has none. */
export function podPath(object: JsonObject): readonly string[] | undefined {
  return workloadOf(object)?.template;
}

/** The pod to decide on; undefined where the object has no pods. */
export function subjectOf(item: Item, namespace: string): Subject | undefined {
  const workload = workloadOf(item.object);
  if (workload === undefined) return undefined;
  const { origin, job } = workload;
  const pod = asObject(at(item.object, ...workload.template)) ?? {};
  const serviceName =
    origin === "stateful-template" ? asString(at(item.object, "spec", "serviceName")) : undefined;
  return { pod, namespace, origin, job, ...(serviceName === undefined ? {} : { serviceName }) };
}

/** The document with the planned pod in place of the one at this path. Everything else is shared with the original. */
export function withPod(value: Json, path: readonly (string | number)[], pod: JsonObject): Json {
  const [step, ...rest] = path;
  if (step === undefined) return pod;
  if (Array.isArray(value)) return value.with(Number(step), withPod(value[Number(step)] ?? null, rest, pod));
  const object = asObject(value) ?? {};
  return { ...object, [step]: withPod(object[step] ?? null, rest, pod) };
}

export const isService = (object: JsonObject): boolean => isKind(object, "Service", "");

function workloadOf(object: JsonObject): Workload | undefined {
  const kind = asString(object.kind) ?? "";
  const workload = Object.hasOwn(WORKLOADS, kind) ? WORKLOADS[kind] : undefined;
  return workload !== undefined && isKind(object, kind, workload.group) ? workload : undefined;
}

/** Of any version: which one the cluster serves is not known here. `extensions` is where `apps` came from. */
function isKind(object: JsonObject, kind: string, group: string): boolean {
  const [version, ...rest] = (asString(object.apiVersion) ?? "").split("/").reverse();
  const given = rest.join("/");
  return (
    object.kind === kind &&
    version !== "" &&
    (given === group || (group === "apps" && given === "extensions"))
  );
}
