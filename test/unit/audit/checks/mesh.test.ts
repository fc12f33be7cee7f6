import assert from "node:assert/strict";
import { test } from "node:test";
import { MESH } from "../../../../src/audit/checks/mesh.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, member, namespace, object } from "../world.ts";

const ENV = [
  { name: "PATRONI_SCOPE", value: "pg" },
  { name: "PATRONI_KUBERNETES_LABELS", value: "{}" },
];
const AUTH = { name: "PATRONI_RESTAPI_USERNAME", value: "admin" };

const EXCLUDE = "traffic.sidecar.istio.io/excludeInboundPorts";
const EXCLUDED = { annotations: { [EXCLUDE]: "5432,8008,8011" } };

const pod = (
  env: JsonObject[] = [...ENV, AUTH],
  metadata: JsonObject = EXCLUDED,
  containers: JsonObject[] = [{ name: "istio-proxy" }],
): JsonObject =>
  member(
    0,
    { containers: [{ name: "postgres", env, ports: [{ containerPort: 5432 }] }, ...containers] },
    metadata,
  );

const config = (ssl: string): JsonObject =>
  object(
    "ConfigMap",
    "pg-config",
    {},
    { annotations: { config: JSON.stringify({ postgresql: { parameters: { ssl } } }) } },
  );

const policy = (
  name: string,
  ports: readonly number[],
  labels: JsonObject = { "patroni-injector.io/cluster": "pg" },
): JsonObject =>
  object("PeerAuthentication", name, {
    spec: {
      selector: { matchLabels: labels },
      portLevelMtls: Object.fromEntries(ports.map((port) => [String(port), { mode: "DISABLE" }])),
    },
  });
const OURS = policy("patroni-injector-pg", [5432, 8008, 8011]);
const service = (port: JsonObject): JsonObject =>
  object("Service", "pg-primary", { spec: { ports: [{ port: 5432, ...port }] } });

const SOUND = [pod(), config("on"), OURS, service({ name: "tcp-postgres" })];
const instead = (kind: string, ...others: JsonObject[]): JsonObject[] => [
  ...SOUND.filter((each) => each.kind !== kind),
  ...others,
];
const annotated = (annotations: JsonObject): JsonObject => pod([...ENV, AUTH], { annotations });

for (const [what, codes, objects] of [
  ["a sound cluster", [], SOUND],
  ["no mesh: nothing of it matters", [], [pod(ENV, {}, []), config("off"), service({ name: "postgres" })]],
  ["no policy", ["peer-authentication-differs"], instead("PeerAuthentication")],
  [
    "a policy for other ports",
    ["peer-authentication-differs"],
    instead("PeerAuthentication", policy("patroni-injector-pg", [5432])),
  ],
  [
    "another policy for these pods",
    ["peer-authentication-conflict"],
    [...SOUND, policy("strict", [], { application: "patroni" })],
  ],
  [
    "a pod that does not exclude what the policy is for",
    ["peer-authentication-differs"],
    instead("Pod", annotated({ [EXCLUDE]: "15020,5432" })),
  ],
  ["a pod that excludes more", [], instead("Pod", annotated({ [EXCLUDE]: "15020, 8011,8008,5432" }))],
  [
    "a pod that excludes nothing, and no policy: nobody wanted it",
    [],
    instead("Pod", annotated({})).filter((each) => each !== OURS),
  ],
  ["a policy for other pods", [], [...SOUND, policy("strict", [], { app: "web" })]],
  [
    "ports that are included",
    ["include-inbound-ports"],
    instead("Pod", annotated({ "traffic.sidecar.istio.io/includeInboundPorts": "80,5432" })),
  ],
  [
    "all ports are included",
    [],
    instead("Pod", annotated({ "traffic.sidecar.istio.io/includeInboundPorts": "*" })),
  ],
  [
    "other ports are included",
    [],
    instead("Pod", annotated({ "traffic.sidecar.istio.io/includeInboundPorts": "80" })),
  ],
  ["a port named after PostgreSQL", ["port-name"], instead("Service", service({ name: "postgres" }))],
  ["a port without a name", ["port-name"], instead("Service", service({}))],
  ["a port that says tcp", [], instead("Service", service({ name: "postgres", appProtocol: "tcp" }))],
  ["a REST API for everybody", ["rest-api-open"], instead("Pod", pod(ENV))],
  ["PostgreSQL without TLS", ["postgres-plain"], instead("ConfigMap", config("off"))],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
  test(what, () => {
    const outcome = audited(MESH, { objects: [namespace("db"), ...objects] });
    assert.deepEqual(codesOf(outcome), codes);
    assert.deepEqual(outcome.unseen, []);
  });

test("where pods are to be injected a policy is wanted, whatever they exclude today", () => {
  const enabled = namespace("db", { "patroni-injector.io/injection": "enabled" });
  const objects = [enabled, ...instead("Pod", annotated({})).filter((each) => each !== OURS)];
  assert.deepEqual(codesOf(audited(MESH, { objects })), ["peer-authentication-differs"]);
});

test("the policy of the fix mends it", () => {
  const objects = [namespace("db"), ...instead("PeerAuthentication")];
  const [finding] = audited(MESH, { objects }).findings;
  const fix = finding?.fix?.map((each) => ({ ...each, kind: "PeerAuthentication" })) ?? [];
  assert.deepEqual(codesOf(audited(MESH, { objects: [...objects, ...fix] })), []);
});

test("a configuration in a file cannot be judged", () => {
  const objects = [
    namespace("db"),
    ...instead("Pod", pod([...ENV, { name: "PATRONI_CONFIGURATION", value: "{}" }])),
  ];
  const { findings, unseen } = audited(MESH, { objects });
  assert.deepEqual(findings, []);
  assert.deepEqual(
    unseen.map(({ codes }) => codes),
    [["rest-api-open"]],
  );
});
