import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../../contract/names.ts";
import { readOptions } from "../../injection/options.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { findPatroniContainer } from "../../patroni/container.ts";
import { envValue } from "../../patroni/env.ts";
import { scopeOf } from "../../patroni/identity.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { PoolerFacts } from "../facts/pooler.ts";
import { sidecarIn } from "../facts/sidecar.ts";
import { labelOf, metadataOf, nameOf } from "../facts/slim.ts";
import type { TemplateFacts } from "../facts/template.ts";

/** A pod, or a workload that makes pods, which may need what was made for its cluster. */
export interface Holder {
  readonly uid: string;
  readonly name: string;
  readonly serviceAccount: string;
  /** With PgBouncer and no Patroni: it needs nothing but what its sidecar may do. */
  readonly pooler: boolean;
  /** It carries our sidecar or answers to a name of ours; else it merely runs, or will run, Patroni of that scope. */
  readonly attached: boolean;
  /** Its annotation `inject` says "false". */
  readonly optedOut: boolean;
}

/** What is looked for in pods. */
export interface Held {
  /** The value of the cluster's label. */
  readonly cluster: string;
  /** Our headless Services of the cluster: a pod whose subdomain is one of these has a name there. */
  readonly headless: ReadonlySet<string>;
}

/**
 * A pod as the API server gives it, whether or not a pod selector matches it, its namespace is opted in, or it has opted out:
 * what it carries does not go with these.
 */
export function podHolder(pod: JsonObject, held: Held): Holder | undefined {
  const attached = isAttached(pod, held);
  const { cluster: scope, inject } = patroniOf(pod);
  if (!attached && (scope === undefined || clusterLabelValue(scope) !== held.cluster)) return undefined;
  return {
    uid: asString(metadataOf(pod).uid) ?? "",
    name: nameOf(pod),
    serviceAccount: asString(at(pod, "spec", "serviceAccountName")) || "default",
    pooler: isPooler(pod),
    attached,
    optedOut: inject === "false",
  };
}

/** A StatefulSet as the API server gives it, whatever its number of replicas. */
export function workloadHolder(set: JsonObject, held: Held): Holder | undefined {
  const template = asObject(at(set, "spec", "template")) ?? {};
  const holder = podHolder(template, held);
  return holder && { ...holder, uid: asString(metadataOf(set).uid) ?? "", name: nameOf(set) };
}

/** The same of what the watches keep. */
export const knownPodHolder = (pod: PodFacts, cluster: string): Holder => ({
  uid: pod.uid,
  name: pod.name,
  serviceAccount: pod.settings.serviceAccount,
  pooler: false,
  attached: pod.sidecar !== "absent" || pod.labels[CLUSTER_LABEL] === cluster,
  optedOut: false,
});

export const knownPoolerHolder = ({ uid, name, serviceAccount }: PoolerFacts): Holder => ({
  uid,
  name,
  serviceAccount,
  pooler: true,
  attached: true,
  optedOut: false,
});

export const knownWorkloadHolder = ({ workload, settings }: TemplateFacts): Holder => ({
  uid: workload.uid,
  name: workload.name,
  serviceAccount: settings.serviceAccount,
  pooler: false,
  attached: false,
  optedOut: false,
});

/** As our sidecar in it was told; a pooler without one is none of ours. */
function isPooler(pod: JsonObject): boolean {
  const sidecar = sidecarIn(pod);
  return sidecar !== undefined && envValue(sidecar, "PATRONI_INJECTOR_ROLE") === "pooler";
}

function isAttached(pod: JsonObject, { cluster, headless }: Held): boolean {
  if (labelOf(pod, CLUSTER_LABEL) === cluster) return true;
  const sidecar = sidecarIn(pod);
  const scope = sidecar && envValue(sidecar, "PATRONI_INJECTOR_CLUSTER");
  if (scope !== undefined && clusterLabelValue(scope) === cluster) return true;
  return headless.has(asString(at(pod, "spec", "subdomain")) ?? "");
}

/** Of a pod of any kind: the Patroni cluster that it says it is of, and what it says of injection. */
export function patroniOf(pod: JsonObject) {
  const { values } = readOptions(pod);
  const containers = objectsIn(at(pod, "spec", "containers"));
  const found = findPatroniContainer(containers);
  const container = (found.kind === "found" && containers[found.index]) || {};
  return { cluster: values.cluster ?? scopeOf(pod, container), inject: values.inject, container };
}
