import fc from "fast-check";
import type { ServiceFacts } from "../../../src/injection/settings.ts";
import type { Json, JsonObject } from "../../../src/json/value.ts";
import type { World } from "../../unit/injection/world.ts";
import { otherContainer, patroniContainer, staleSidecar } from "./containers.ts";
import { dnsLabel, podName, scope, serviceName } from "./names.ts";

/** A pod that is to be created, and everything around it that a decision depends on. */
export interface Scene {
  readonly pod: JsonObject;
  readonly world: World;
}

/** Mostly what `common` gives. */
const mostly = <Value>(common: fc.Arbitrary<Value>, rare: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 5, arbitrary: common }, { weight: 1, arbitrary: rare });

/** Volumes that some pods have, and one that none has. */
const volumeName = fc.constantFrom("config", "config", "pgdata", "nowhere");

const reloadAnnotations = {
  "patroni-injector.io/reload-postgres-volume": volumeName,
  "patroni-injector.io/reload-postgres-version": fc.constantFrom("file", "annotation", "dcs"),
  "patroni-injector.io/reload-postgres-secret": fc.constant("login"),
  "patroni-injector.io/reload-pgbouncer-volume": volumeName,
  "patroni-injector.io/reload-pgbouncer-version": fc.constantFrom("file", "annotation"),
  "patroni-injector.io/reload-pgbouncer-socket-volume": volumeName,
  "patroni-injector.io/reload-pgbouncer-reconnect": fc.constantFrom("on", "off"),
  "patroni-injector.io/reload-tls-secret": fc.constant("tls"),
  "patroni-injector.io/reload-socket": fc.constantFrom("on", "off"),
  "patroni-injector.io/postgres-config-version": fc.constantFrom("42", "x"),
};

const ourAnnotations: fc.Arbitrary<Record<string, string>> = fc.record(
  {
    "patroni-injector.io/headless-service": fc.constantFrom("mine", "pods"),
    "patroni-injector.io/primary-service": fc.constant("rw"),
    "patroni-injector.io/cluster": fc.constantFrom("pg", "Other.1"),
    "patroni-injector.io/postgres-port": fc.constantFrom("5432", "5433"),
    "patroni-injector.io/patroni-port": fc.constantFrom("8009", "8011"),
    "patroni-injector.io/patroni-scheme": fc.constantFrom("http", "https"),
    "patroni-injector.io/patroni-ca-secret": fc.constant("ca"),
    "patroni-injector.io/patroni-auth-secret": fc.constant("auth"),
    "patroni-injector.io/exclude-ports": fc.constantFrom("", "9187, 6432"),
    "patroni-injector.io/exclude-outbound-ip-ranges": fc.constant("192.168.0.0/16,fd00::/8"),
    "patroni-injector.io/connect-addresses": fc.constantFrom("on", "off"),
    "patroni-injector.io/mesh": fc.constantFrom("on", "off"),
    "patroni-injector.io/discovery": fc.constantFrom("on", "off"),
    "patroni-injector.io/reload": fc.constantFrom("on", "off"),
    "patroni-injector.io/spilo-token": fc.constant("fix"),
    "patroni-injector.io/sidecar-cpu-limit": fc.constantFrom("0.05", "200m"),
    "patroni-injector.io/sidecar-memory-limit": fc.constantFrom("65536Ki", "128Mi"),
    "patroni-injector.io/sidecar-memory-request": fc.constantFrom("32Mi", "128Mi"),
    "patroni-injector.io/sidecar-log-level": fc.constant("debug"),
    "patroni-injector.io/status": fc.constantFrom("", "{}", '{"version":"0","applied":["sidecar"]}'),
    ...reloadAnnotations,
  },
  { requiredKeys: [], noNullPrototype: true },
);

const otherAnnotations: fc.Arbitrary<Record<string, string>> = fc.record(
  {
    "traffic.sidecar.istio.io/excludeInboundPorts": fc.constantFrom("", "15020", " 5432 ,9090"),
    "traffic.sidecar.istio.io/includeInboundPorts": fc.constantFrom("*", "", "80, 5432,8008"),
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": fc.constant("1.2.3.4/32"),
    "config.linkerd.io/skip-inbound-ports": fc.constantFrom("25", "5432-5433"),
    "prometheus.io/scrape": fc.constant("true"),
    "a.example/b~c": fc.string({ maxLength: 20 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const metadata: fc.Arbitrary<JsonObject> = fc
  .record({
    name: mostly<string | undefined>(podName, fc.constant(undefined)),
    // Now and then a pooler's pod, or one that is marked as both, which is Patroni's.
    role: mostly(
      fc.constantFrom({ application: "patroni" }, { application: "spilo" }),
      fc.constantFrom<Record<string, string>>(
        { "patroni-injector.io/pooler-of": "pg" },
        { "patroni-injector.io/pooler-of": "pg", application: "patroni" },
      ),
    ),
    scope,
    annotations: mostly<Json | undefined>(
      fc.tuple(ourAnnotations, otherAnnotations).map(([one, other]) => thinned({ ...one, ...other })),
      fc.constantFrom(undefined, null, {}),
    ),
    labels: fc.dictionary(fc.constantFrom("team", "role", "a.example/b"), fc.constantFrom("", "x"), {
      noNullPrototype: true,
    }),
  })
  .map(({ name, role, scope, annotations, labels }) => ({
    ...(name === undefined ? { generateName: "pg-" } : { name }),
    labels: { ...labels, ...role, "cluster-name": scope },
    ...(annotations === undefined ? {} : { annotations }),
  }));

/** Some of them: a pod with every annotation at once hides what each does alone. */
function thinned(annotations: Record<string, string>): JsonObject {
  const entries = Object.entries(annotations);
  return Object.fromEntries(entries.filter(([key, value]) => (key.length * 7 + value.length * 3) % 5 < 3));
}

const volumes: fc.Arbitrary<Json | undefined> = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  [],
  [{ name: "pgdata", persistentVolumeClaim: { claimName: "pgdata-pg-0" } }],
  [
    { name: "patroni-injector-token", emptyDir: {} },
    { name: "config", configMap: { name: "c" } },
  ],
);

const podSecurityContext: fc.Arbitrary<Json | undefined> = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  {},
  { fsGroup: 103 },
  { fsGroup: 1000, runAsUser: 0 },
  { runAsUser: 101, runAsGroup: 103, supplementalGroups: [5] },
);

const withoutUndefined = (object: Record<string, Json | undefined>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

const distinct = (containers: JsonObject[]): JsonObject[] =>
  containers.filter(({ name }, index) => containers.findIndex((other) => other.name === name) === index);

const pod: fc.Arbitrary<JsonObject> = fc
  .record({
    metadata,
    patroni: patroniContainer,
    beside: fc.array(otherContainer, { maxLength: 2 }),
    initial: fc.array(otherContainer, { maxLength: 2 }),
    sidecar: mostly(
      fc.constant<[JsonObject, "containers" | "initContainers"] | undefined>(undefined),
      fc.tuple(staleSidecar, fc.constantFrom("containers", "initContainers")),
    ),
    patroniFirst: fc.boolean(),
    hostname: mostly<string | undefined>(fc.constantFrom(undefined, "pg-0"), dnsLabel),
    subdomain: mostly<string | undefined>(serviceName, fc.constantFrom(undefined, "")),
    dnsPolicy: mostly<string | undefined>(
      fc.constant(undefined),
      fc.constantFrom("ClusterFirst", "Default", "ClusterFirstWithHostNet"),
    ),
    hostNetwork: mostly<boolean | undefined>(fc.constant(undefined), fc.boolean()),
    volumes,
    imagePullSecrets: fc.constantFrom<Json | undefined>(undefined, [], [{ name: "own" }]),
    securityContext: podSecurityContext,
    resources: mostly<Json | undefined>(
      fc.constant(undefined),
      fc.constantFrom<Json>(
        { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } },
        { requests: { cpu: "1" }, limits: {} },
      ),
    ),
    brandNew: fc.constantFrom<Json | undefined>(undefined, [{ a: { "": 0 } }]),
  })
  .map(({ metadata, patroni, beside, initial, sidecar, patroniFirst, ...spec }) => {
    const containers = distinct(patroniFirst ? [patroni, ...beside] : [...beside, patroni]);
    const initContainers = distinct(initial).filter(
      ({ name }) => !containers.some((other) => other.name === name),
    );
    if (sidecar !== undefined) (sidecar[1] === "containers" ? containers : initContainers).push(sidecar[0]);
    const lists = { containers, initContainers: initContainers.length > 0 ? initContainers : undefined };
    return { apiVersion: "v1", kind: "Pod", metadata, spec: withoutUndefined({ ...spec, ...lists }) };
  });

const facts: fc.Arbitrary<Partial<ServiceFacts>> = fc.record(
  {
    headless: fc.boolean(),
    publishNotReadyAddresses: mostly(fc.constant(true), fc.constant(false)),
    selector: fc.constantFrom<Record<string, string>>(
      { application: "patroni" },
      { application: "spilo" },
      {},
    ),
  },
  { requiredKeys: ["selector"], noNullPrototype: true },
);

const sidecarSettings = fc.record(
  {
    imagePullSecrets: fc.constant(["pull-secret"]),
    port: fc.constantFrom(8011, 9187),
    resources: fc.constantFrom(
      { requests: {}, limits: { memory: "64Mi" }, requiredCpuLimit: "200m" },
      { requests: { cpu: "50m" }, limits: { cpu: "200m", memory: "64Mi" }, requiredCpuLimit: "50m" },
      { requests: { memory: "128Mi" }, limits: { memory: "64Mi" }, requiredCpuLimit: "200m" },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const world: fc.Arbitrary<World> = fc.record({
  settings: fc.record(
    {
      meshes: fc.constantFrom<("istio" | "linkerd")[]>([], ["istio"], ["linkerd"]),
      excludeOutboundIPRanges: fc.constant(["172.16.0.0/12"]),
      clusterDomain: mostly(fc.constant("k8s.example"), fc.constant("d".repeat(240))),
      sidecar: sidecarSettings,
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
  services: fc.dictionary(serviceName, facts, { maxKeys: 3, noNullPrototype: true }),
  native: fc.boolean(),
  openshift: mostly(fc.constant(false), fc.constant(true)),
  apiServer: fc.constantFrom<string[]>([], ["10.96.0.1"], ["fd00::1", "10.96.0.1"]),
  suspended: mostly(fc.constant(false), fc.constant(true)),
});

/** The pod as it comes over the wire: no two of its parts are the same object. */
export const scene: fc.Arbitrary<Scene> = fc.record({
  pod: pod.map((its) => JSON.parse(JSON.stringify(its))),
  world,
});
