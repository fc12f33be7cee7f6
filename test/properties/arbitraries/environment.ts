import fc from "fast-check";
import type { JsonObject } from "../../../src/json/value.ts";

const literal = (name: string, ...values: string[]): fc.Arbitrary<JsonObject> =>
  fc.constantFrom(...values).map((value) => ({ name, value }));

const from = (name: string, source: JsonObject): fc.Arbitrary<JsonObject> =>
  fc.constant({ name, valueFrom: source });

const secret: JsonObject = { secretKeyRef: { name: "s", key: "k" } };
const podNameField: JsonObject = { fieldRef: { fieldPath: "metadata.name" } };

/** Texts of a Patroni configuration: YAML and JSON, with and without addresses, and some that cannot be merged with. */
export const configuration: fc.Arbitrary<string> = fc.constantFrom(
  "",
  "{}",
  "# nothing\n",
  "scope: pg\npostgresql:\n  listen: '*:5432' # all\n  parameters:\n    a: on\n    b: 0755\nrestapi: {listen: ':8008'}\n",
  '{"postgresql":{"bin_dir":"/usr/lib/postgresql/17/bin"},"bootstrap":{"dcs":{"ttl":30,"x":null}}}',
  "postgresql:\n  connect_address: pg-0.pods.db.svc:5432\n",
  '{"restapi":{"connect_address":"10.0.0.1:8008"}}',
  "postgresql: {connect_address: a:1}\nrestapi: {connect_address: b:2}\n",
  "base: &b {x: 1}\npostgresql:\n  <<: *b\n",
  "postgresql: &p {port: 1}\ncopy: *p\n",
  "- a list\n",
  "broken: [",
  "one: 1\n---\ntwo: 2\n",
);

/** Variables that say that a container runs Patroni, in all the forms that they come in. */
const ofPatroni: readonly fc.Arbitrary<JsonObject>[] = [
  from("PATRONI_NAME", podNameField),
  literal("PATRONI_SCOPE", "pg", ""),
  from("PATRONI_SCOPE", { fieldRef: { fieldPath: "metadata.labels['cluster-name']" } }),
  from("PATRONI_KUBERNETES_POD_IP", { fieldRef: { fieldPath: "status.podIP" } }),
  literal("PATRONI_POSTGRESQL_LISTEN", "0.0.0.0:5432", "[::]:5433", "0.0.0.0:8011", "$(X):1"),
  literal("PATRONI_RESTAPI_LISTEN", "0.0.0.0:8008", "*:8009"),
  literal("PATRONI_POSTGRESQL_CONNECT_ADDRESS", "$(PATRONI_NAME).pods:5432", "10.0.0.1:5432", ""),
  from("PATRONI_RESTAPI_CONNECT_ADDRESS", secret),
  literal(
    "PATRONI_RESTAPI_CONNECT_ADDRESS",
    "pg-0.pg.db.svc:8008",
    "$(PATRONI_INJECTOR_POD_NAME).pods.db.svc.cluster.local:8008",
  ),
  configuration.map((value) => ({ name: "PATRONI_CONFIGURATION", value })),
  literal("SCOPE", "acid-main"),
  literal("PGROOT", "/home/postgres/pgdata"),
  literal("APIPORT", "8009", "none"),
  literal("RESTAPI_CONNECT_ADDRESS", "pg-0.pods"),
  configuration.map((value) => ({ name: "SPILO_CONFIGURATION", value })),
  configuration.map((value) => ({ name: "SPILO_CONFIGURATION", value })),
  from("SPILO_CONFIGURATION", { configMapKeyRef: { name: "c", key: "k" } }),
];

/** Variables of anybody: references, empty ones, none at all, and our own name in another's hands. */
const ofAnybody: readonly fc.Arbitrary<JsonObject>[] = [
  literal("A", "1", "", "$(PATRONI_INJECTOR_POD_NAME)-x", "$(B)"),
  fc.constant({ name: "EMPTY" }),
  fc.constant({ name: "NULL", value: "x", valueFrom: null }),
  from("PASSWORD", secret),
  literal("PATRONI_INJECTOR_POD_NAME", "other"),
  from("PATRONI_INJECTOR_POD_NAME", podNameField),
];

const listOf = (entries: readonly fc.Arbitrary<JsonObject>[], minLength: number, maxLength: number) =>
  fc.array(fc.oneof(...entries), { minLength, maxLength });

/** Absent, null or a list. */
const optional = (list: fc.Arbitrary<JsonObject[]>): fc.Arbitrary<JsonObject[] | null | undefined> =>
  fc.oneof({ weight: 8, arbitrary: list }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) });

export const patroniEnv = fc
  .tuple(listOf(ofPatroni, 1, 5), listOf(ofAnybody, 0, 3))
  .chain(([patroni, anybody]) => fc.shuffledSubarray([...patroni, ...anybody], { minLength: 1 }));

export const otherEnv = optional(listOf(ofAnybody, 0, 3));
