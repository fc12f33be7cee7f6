import fc from "fast-check";
import type { Json, JsonObject } from "../../../src/json/value.ts";
import { QUANTITIES } from "../oracles/kubernetes-qos.ts";
import { otherEnv, patroniEnv } from "./environment.ts";

const quantitiesOf = (resource: "cpu" | "memory") => fc.constantFrom(...Object.keys(QUANTITIES[resource]));

const quantities: fc.Arbitrary<JsonObject> = fc.record(
  { cpu: quantitiesOf("cpu"), memory: quantitiesOf("memory"), "ephemeral-storage": fc.constant("1Gi") },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<JsonObject>;

const guaranteed: fc.Arbitrary<JsonObject> = fc
  .constantFrom(["1", "1000m", "1Gi", "1024Mi"], ["50m", "0.05", "64Mi", "65536Ki"])
  .map(([cpu = "", sameCpu = "", memory = "", sameMemory = ""]) => ({
    requests: { cpu, memory },
    limits: { cpu: sameCpu, memory: sameMemory },
  }));

/** Of a container; Guaranteed ones are frequent, for a whole pod of them must be met too. */
export const resources: fc.Arbitrary<Json | undefined> = fc.oneof(
  { weight: 4, arbitrary: guaranteed },
  {
    weight: 2,
    arbitrary: fc.record(
      { requests: quantities, limits: quantities },
      { requiredKeys: [], noNullPrototype: true },
    ) as fc.Arbitrary<JsonObject>,
  },
  { weight: 1, arbitrary: fc.constantFrom({}, null, undefined) },
);

const ports: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constantFrom<Json | undefined>(undefined, null, []),
  fc
    .uniqueArray(fc.constantFrom(5432, 8008, 9187, 8011, 80), { maxLength: 2 })
    .map((all): Json => all.map((containerPort) => ({ containerPort }))),
);

const securityContext: fc.Arbitrary<Json | undefined> = fc.constantFrom(
  undefined,
  null,
  {},
  { runAsUser: 101, privileged: false },
);

const mounts: fc.Arbitrary<Json | undefined> = fc.constantFrom(
  undefined,
  [],
  [{ name: "pgdata", mountPath: "/home/postgres/pgdata" }],
);

const envFrom: fc.Arbitrary<Json | undefined> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Json>(
      [{ configMapRef: { name: "settings" } }],
      [{ secretRef: { name: "login" } }, { prefix: "X_", configMapRef: { name: "settings" } }],
    ),
  },
);

/** Only what is set: an arbitrary may give `undefined` for a field. */
const defined = (object: Record<string, Json | undefined>): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** No other container below has one of these. */
export const PATRONI_NAMES: readonly string[] = ["db", "postgres", "patroni", "database"];

export const patroniContainer: fc.Arbitrary<JsonObject> = fc
  .record({
    name: fc.constantFrom(...PATRONI_NAMES),
    image: fc.constantFrom("acme/patroni:4.1", "ghcr.io/zalando/spilo-17:4.0-p3", "registry.example/pg:17"),
    env: patroniEnv,
    resources,
    ports,
    securityContext,
    volumeMounts: mounts,
    envFrom,
    brandNew: fc.constantFrom<Json | undefined>(undefined, { nested: [1, null, { "a/b~c": true }] }),
  })
  .map(defined);

const others: readonly JsonObject[] = [
  { name: "exporter", image: "acme/exporter", ports: [{ containerPort: 9187 }] },
  { name: "pgbouncer", image: "acme/pgbouncer" },
  { name: "istio-proxy", image: "istio/proxyv2" },
  { name: "loop", command: ["sh", "-c", "while true; do kubectl patch endpoints pg; done"] },
];

/** A container beside Patroni's. */
export const otherContainer: fc.Arbitrary<JsonObject> = fc
  .tuple(fc.constantFrom(...others), otherEnv, resources)
  .map(([container, env, its]) => defined({ ...container, env, resources: its }));

/** The sidecar of an earlier time: of another version, or with what other webhooks added. */
export const staleSidecar: fc.Arbitrary<JsonObject> = fc.constantFrom<JsonObject>(
  { name: "patroni-injector", image: "old/patroni-injector:0" },
  {
    name: "patroni-injector",
    image: "old/patroni-injector:0",
    env: [
      { name: "HTTP_PROXY", value: "x" },
      { name: "POD_NAME", value: "wrong" },
    ],
    volumeMounts: [{ name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }],
    resources: { limits: { cpu: "1" } },
  },
);
