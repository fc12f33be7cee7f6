import assert from "node:assert/strict";
import { decide } from "../../../src/injection/decide.ts";
import type { Decision, Subject } from "../../../src/injection/decision.ts";
import type {
  InjectionSettings,
  ServiceFacts,
  SidecarSettings,
  Surroundings,
} from "../../../src/injection/settings.ts";
import { asObject, type JsonObject, objectsIn } from "../../../src/json/value.ts";

/** Everything around a pod that a decision depends on; what a row does not name is as in a plain cluster. */
export interface World {
  readonly settings?: Partial<Omit<InjectionSettings, "sidecar">> & {
    readonly sidecar?: Partial<SidecarSettings>;
  };
  /** By name, all in the pod's namespace. */
  readonly services?: Readonly<Record<string, Partial<ServiceFacts>>>;
  readonly native?: boolean;
  readonly openshift?: boolean;
  readonly apiServer?: readonly string[];
  readonly suspended?: boolean;
  readonly subject?: Partial<Subject>;
}

export const NAMESPACE = "db";

const SETTINGS: InjectionSettings = {
  selectors: [{ key: "application", values: ["patroni", "spilo"] }],
  poolerSelectors: [{ key: "patroni-injector.io/pooler-of", values: [] }],
  excludedNamespaces: ["kube-system", "patroni-injector"],
  onInvalid: "deny",
  clusterDomain: "cluster.local",
  meshes: ["istio", "linkerd"],
  excludeOutboundIPRanges: [],
  sidecar: {
    image: "registry.example/patroni-injector:1.0",
    imagePullPolicy: "IfNotPresent",
    imagePullSecrets: [],
    port: 8011,
    logLevel: "info",
    resources: {
      requests: { cpu: "50m", memory: "32Mi" },
      limits: { memory: "64Mi" },
      requiredCpuLimit: "200m",
    },
  },
};

export const settingsOf = ({ settings = {} }: World): InjectionSettings => ({
  ...SETTINGS,
  ...settings,
  sidecar: { ...SETTINGS.sidecar, ...settings.sidecar },
});

/** A headless Service that carries any pod of the cluster `pg`. */
const HEADLESS: ServiceFacts = {
  headless: true,
  publishNotReadyAddresses: true,
  selector: { "patroni-injector.io/cluster": "pg" },
};

export function surroundingsOf(world: World): Surroundings {
  const services = new Map(Object.entries(world.services ?? {}));
  return {
    service: (namespace, name) =>
      namespace === NAMESPACE && services.has(name) ? { ...HEADLESS, ...services.get(name) } : undefined,
    nativeSidecars: world.native ?? true,
    openshift: world.openshift ?? false,
    apiServerAddresses: world.apiServer ?? ["10.96.0.1"],
    suspended: (namespace) => namespace === NAMESPACE && (world.suspended ?? false),
  };
}

export const decideOn = (pod: JsonObject, world: World = {}): Decision =>
  decide(
    { pod, namespace: NAMESPACE, origin: "request", job: false, ...world.subject },
    settingsOf(world),
    surroundingsOf(world),
  );

/** The decision, which must be to inject, opened up. */
export function inject(pod: JsonObject, world: World = {}) {
  const decision = decideOn(pod, world);
  if (decision.kind !== "inject") assert.fail(`not injected: ${JSON.stringify(decision)}`);
  const spec = asObject(decision.pod.spec) ?? {};
  return {
    ...decision,
    spec,
    annotations: (asObject(asObject(decision.pod.metadata)?.annotations) ?? {}) as Record<string, string>,
    labels: (asObject(asObject(decision.pod.metadata)?.labels) ?? {}) as Record<string, string>,
    reasons: decision.notes.map(({ reason }) => reason),
    /** The environment of the container `db`. */
    env: objectsIn(named(spec.containers, "db")?.env),
    sidecar: named(spec.initContainers, "patroni-injector") ?? named(spec.containers, "patroni-injector"),
  };
}

/** The entry of a list that has this name. */
export const named = (list: unknown, name: string): JsonObject | undefined =>
  objectsIn(list).find((entry) => entry.name === name);

/** What is to be different in a pod of {@link patroniPod} or {@link spiloPod}. */
export interface Difference {
  readonly metadata?: JsonObject;
  readonly labels?: JsonObject;
  readonly annotations?: JsonObject;
  readonly spec?: JsonObject;
  /** Of the container `db`. */
  readonly container?: JsonObject;
  /** After the container's own environment. */
  readonly env?: readonly JsonObject[];
  /** Beside the container `db`. */
  readonly containers?: readonly JsonObject[];
}

const PATRONI_ENV: readonly JsonObject[] = [
  { name: "PATRONI_SCOPE", valueFrom: { fieldRef: { fieldPath: "metadata.labels['cluster-name']" } } },
  { name: "PATRONI_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
];

/** A pod of a StatefulSet with plain Patroni: `pg-0` of the cluster `pg`. */
export const patroniPod = (difference: Difference = {}): JsonObject =>
  podWith("patroni", "acme/patroni:4.1", PATRONI_ENV, difference);

/** The same with Spilo, which has no `SPILO_CONFIGURATION` yet. */
export const spiloPod = (difference: Difference = {}): JsonObject =>
  podWith("spilo", "acme/spilo-17:4.0-p3", [{ name: "SCOPE", value: "pg" }], difference);

function podWith(
  application: string,
  image: string,
  env: readonly JsonObject[],
  difference: Difference,
): JsonObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "pg-0",
      namespace: NAMESPACE,
      labels: { application, "cluster-name": "pg", ...difference.labels },
      ...(difference.annotations === undefined ? {} : { annotations: difference.annotations }),
      ...difference.metadata,
    },
    spec: {
      containers: [
        { name: "db", image, env: [...env, ...(difference.env ?? [])], ...difference.container },
        ...(difference.containers ?? []),
      ],
      hostname: "pg-0",
      subdomain: "pg",
      ...difference.spec,
    },
  };
}

/** Our annotations, by their names without the domain. */
export const ours = (annotations: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`patroni-injector.io/${name}`, value]),
  );

/** A pod as an earlier pass left it. */
export const injected = (pod: JsonObject, world: World = {}): JsonObject => inject(pod, world).pod;
