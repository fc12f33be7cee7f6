import { readFile } from "node:fs/promises";
import { createTwoFilesPatch } from "diff";
import { parseAllDocuments, stringify } from "yaml";
import { asObject, asString, at, isObject, type Json, type JsonObject } from "../../src/json/value.ts";
import type { ApiAnswer, ApiClient } from "../client.ts";
import type { KubeObject } from "../kube-api/objects.ts";
import { podsOf } from "../kube-api/workloads.ts";
import type { Timeline } from "../timeline.ts";
import { type Expectation, injected, type Ports, UNTOUCHED } from "./expectations.ts";

/** How one pod came out. */
export interface PodResult {
  readonly pod: string;
  readonly checks: readonly { readonly says: string; readonly holds: boolean }[];
  readonly admissionMs: number;
  readonly warnings: readonly string[];
}

export interface InjectionResult {
  readonly pods: readonly PodResult[];
  /** What was changed in the first pod, as a unified diff of YAML. */
  readonly diff: string;
}

const PODS = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;

/** A StatefulSet's pods in a namespace that opted in, one that only audits, one without a label, and a dry run. */
export async function injectionScenario(
  api: ApiClient,
  timeline: Timeline,
  isStored: (namespace: string, pod: string) => boolean,
  ports: Ports,
): Promise<InjectionResult> {
  const [namespace, service, statefulSet] = await manifests(ports);
  const expectations = injected(ports);
  await created(api, "/api/v1/namespaces", namespace);
  await created(api, "/api/v1/namespaces/shop/services", service);
  const stored = await created(api, "/apis/apps/v1/namespaces/shop/statefulsets", statefulSet);
  timeline.add("you", "applied a Patroni cluster of three in namespace shop (label injection=enabled)");

  const [one, two, three, fourth] = podsOf(withReplicas(stored, 4) as KubeObject) as readonly JsonObject[];
  const pods = [one, two, three].filter((pod) => pod !== undefined);
  const results: PodResult[] = [];
  let diff = "";
  for (const pod of pods) {
    const { answer, result } = await create(api, "shop", pod, expectations);
    results.push(result);
    tell(timeline, result, "was injected");
    if (diff === "") diff = difference(pod, answer.body);
  }

  const rehearsal = await create(api, "shop", fourth ?? {}, expectations, "dryRun=All");
  const leftNothing = { says: "a dry run stores nothing", holds: !isStored("shop", "orders-3") };
  const rehearsed = { ...rehearsal.result, checks: [...rehearsal.result.checks, leftNothing] };
  results.push(rehearsed);
  tell(timeline, rehearsed, "(a dry run) shows the same, and nothing is stored");

  await created(
    api,
    "/api/v1/namespaces",
    namespaceOf("audited", { "patroni-injector.io/injection": "audit" }),
  );
  const audited = await create(api, "audited", inNamespace(pods[0], "audited"), [UNTOUCHED, WARNED]);
  results.push(audited.result);
  tell(
    timeline,
    audited.result,
    `(namespace audited) is as it was: ${audited.result.warnings[0] ?? "no warning"}`,
  );

  await created(api, "/api/v1/namespaces", namespaceOf("plain", {}));
  const plain = await create(api, "plain", inNamespace(pods[0], "plain"), [UNTOUCHED]);
  results.push(plain.result);
  tell(timeline, plain.result, "(namespace plain, no label) is as it was");
  return { pods: results, diff };
}

const WARNED: Expectation = {
  says: "a warning says what would be changed",
  holds: (pod) => asString(at(pod, "warnings"))?.includes("would be injected") ?? false,
};

async function create(
  api: ApiClient,
  namespace: string,
  pod: JsonObject,
  expectations: readonly Expectation[],
  query = "",
): Promise<{ answer: ApiAnswer; result: PodResult }> {
  const sent = performance.now();
  const answer = await api.create(PODS(namespace), pod, query);
  const admissionMs = performance.now() - sent;
  const seen = (expectation: Expectation) =>
    expectation === WARNED ? { warnings: answer.warnings.join("; ") } : answer.body;
  const checks = [
    { says: "the API server accepted the pod", holds: answer.code === 201 },
    ...expectations.map((expectation) => ({
      says: expectation.says,
      holds: expectation.holds(seen(expectation)),
    })),
  ];
  const name = `${namespace}/${String(at(pod, "metadata", "name"))}`;
  return { answer, result: { pod: name, checks, admissionMs, warnings: answer.warnings } };
}

function tell(timeline: Timeline, { pod, checks, admissionMs }: PodResult, what: string): void {
  const failed = checks.filter(({ holds }) => !holds);
  const time = `in ${admissionMs.toFixed(0)} ms`;
  if (failed.length === 0) timeline.add("API server", `${pod} ${what} (${time})`, "good");
  for (const { says } of failed) timeline.add("API server", `${pod}: NOT so: ${says}`, "bad");
}

async function manifests({ postgres, rest }: Ports): Promise<[JsonObject, JsonObject, JsonObject]> {
  const text = await readFile(new URL("../patroni.yaml", import.meta.url), "utf8");
  const own = text.replaceAll("5432", String(postgres)).replaceAll("8008", String(rest));
  return parseAllDocuments(own).map((document) => document.toJS() as JsonObject) as [
    JsonObject,
    JsonObject,
    JsonObject,
  ];
}

async function created(api: ApiClient, path: string, object: JsonObject): Promise<JsonObject> {
  const { code, body } = await api.create(path, object);
  if (code !== 201) throw new Error(`${path}: ${code} ${String(body.message)}`);
  return body;
}

/** What a person would want to see: the pod as the StatefulSet controller sent it, and as it was stored. */
function difference(sent: JsonObject, stored: JsonObject): string {
  const bookkeeping = ["uid", "resourceVersion", "creationTimestamp"];
  const metadata = Object.fromEntries(
    Object.entries(asObject(stored.metadata) ?? {}).filter(([key]) => !bookkeeping.includes(key)),
  );
  const name = String(at(sent, "metadata", "name"));
  const { status: _, ...rest } = stored;
  const kept = inOrderOf(sent, { ...rest, metadata });
  const texts = [sent, kept].map((pod) => stringify(pod, { lineWidth: 0, aliasDuplicateObjects: false }));
  return createTwoFilesPatch(`${name} as sent`, `${name} as stored`, texts[0] ?? "", texts[1] ?? "", "", "", {
    context: 2,
  });
}

/** The same value with its keys in the order of another, so that a diff shows changes and nothing else. */
function inOrderOf(model: Json | undefined, value: Json): Json {
  if (Array.isArray(value)) {
    return value.map((entry, index) => inOrderOf(Array.isArray(model) ? model[index] : undefined, entry));
  }
  if (!isObject(value)) return value;
  const first = isObject(model) ? Object.keys(model).filter((key) => Object.hasOwn(value, key)) : [];
  const keys = [...new Set([...first, ...Object.keys(value)])];
  return Object.fromEntries(
    keys.map((key) => [key, inOrderOf(isObject(model) ? model[key] : undefined, value[key] ?? null)]),
  );
}

const withReplicas = (set: JsonObject, replicas: number): JsonObject => ({
  ...set,
  spec: { ...asObject(set.spec), replicas },
});

const inNamespace = (pod: JsonObject | undefined, namespace: string): JsonObject => ({
  ...pod,
  metadata: { ...asObject(pod?.metadata), namespace },
});

const namespaceOf = (name: string, labels: JsonObject): JsonObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});
