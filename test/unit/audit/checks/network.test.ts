import assert from "node:assert/strict";
import { test } from "node:test";
import { NETWORK } from "../../../../src/audit/checks/network.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, namespace, statefulSet, threeMembers } from "../world.ts";

const slice = (ns: string, service: string, endpoints: JsonObject[], ports: JsonObject[]): JsonObject => ({
  kind: "EndpointSlice",
  metadata: { namespace: ns, name: `${service}-1`, labels: { "kubernetes.io/service-name": service } },
  endpoints,
  ports,
});
const pod = (ns: string, name: string, labels: Record<string, string>): JsonObject => ({
  kind: "Pod",
  metadata: { namespace: ns, name, labels },
  spec: { containers: [] },
  status: { podIPs: [{ ip: "10.244.9.9" }] },
});

const AROUND: JsonObject[] = [
  namespace("kube-system"),
  namespace("ops"),
  namespace("patroni-injector"),
  pod("kube-system", "coredns-1", { "k8s-app": "kube-dns" }),
  pod("ops", "postgres-operator-1", { name: "postgres-operator" }),
  pod("patroni-injector", "serve-1", { "app.kubernetes.io/name": "patroni-injector" }),
  slice("default", "kubernetes", [{ addresses: ["172.18.0.2"] }], [{ port: 6443 }]),
  slice(
    "kube-system",
    "kube-dns",
    [{ addresses: ["10.244.9.9"], targetRef: { kind: "Pod", namespace: "kube-system", name: "coredns-1" } }],
    [
      { port: 53, protocol: "UDP" },
      { port: 53, protocol: "TCP" },
    ],
  ),
];

const policy = (name: string, spec: JsonObject, ns = "db"): JsonObject => ({
  kind: "NetworkPolicy",
  metadata: { namespace: ns, name },
  spec: { podSelector: {}, ...spec },
});
const fromHere = { podSelector: { matchLabels: { "cluster-name": "pg" } } };
const inNamespace = (name: string): JsonObject => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});

const OPEN_EGRESS: JsonObject[] = [
  { to: [{ ipBlock: { cidr: "172.18.0.2/32" } }], ports: [{ port: 443 }, { port: 6443 }] },
  { to: [inNamespace("kube-system")], ports: [{ port: 53 }, { port: 53, protocol: "UDP" }] },
  { to: [fromHere], ports: [{ port: 5432 }, { port: 8008 }] },
];
const without = (list: JsonObject[], index: number): JsonObject[] => list.filter((_, each) => each !== index);
const egress = (rules: JsonObject[]): JsonObject =>
  policy("egress", { policyTypes: ["Egress"], egress: rules });

const OPEN_INGRESS: JsonObject[] = [
  { from: [fromHere], ports: [{ port: 5432 }] },
  { from: [fromHere], ports: [{ port: 8008 }] },
  { from: [inNamespace("ops")] },
  { from: [inNamespace("patroni-injector")], ports: [{ port: 8008 }] },
];
const ingress = (rules: JsonObject[]): JsonObject => policy("ingress", { ingress: rules });

for (const [what, codes, policies] of [
  ["no policy", [], []],
  ["egress that holds all that is needed", [], [egress(OPEN_EGRESS)]],
  ["egress without the API server", ["blocked-api-server"], [egress(without(OPEN_EGRESS, 0))]],
  [
    "egress to the API server on 443 alone, where it listens on 6443",
    ["blocked-api-server"],
    [
      egress([
        { to: [{ ipBlock: { cidr: "172.18.0.2/32" } }], ports: [{ port: 443 }] },
        ...without(OPEN_EGRESS, 0),
      ]),
    ],
  ],
  ["egress without DNS", ["blocked-dns"], [egress(without(OPEN_EGRESS, 1))]],
  [
    "egress to DNS over UDP alone",
    ["blocked-dns"],
    [egress([...without(OPEN_EGRESS, 1), { ports: [{ port: 53, protocol: "UDP" }] }])],
  ],
  [
    "egress without the other members",
    ["blocked-patroni", "blocked-postgres"],
    [egress(without(OPEN_EGRESS, 2))],
  ],
  ["ingress that holds all that is needed", [], [ingress(OPEN_INGRESS)]],
  ["ingress without PostgreSQL", ["blocked-postgres"], [ingress(without(OPEN_INGRESS, 0))]],
  ["ingress without Patroni", ["blocked-patroni"], [ingress(without(OPEN_INGRESS, 1))]],
  ["ingress without the operator", ["blocked-operator"], [ingress(without(OPEN_INGRESS, 2))]],
  ["ingress without the controller", ["blocked-controller"], [ingress(without(OPEN_INGRESS, 3))]],
  [
    "a policy of the operator's namespace shuts it in",
    ["blocked-operator"],
    [policy("shut", { policyTypes: ["Egress"] }, "ops")],
  ],
  ["a policy for other pods", [], [policy("other", { podSelector: { matchLabels: { app: "web" } } })]],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
  test(what, () => {
    const outcome = audited(NETWORK, { objects: [...threeMembers(), ...AROUND, ...policies] });
    assert.deepEqual(codesOf(outcome), codes);
    assert.deepEqual(outcome.unseen, []);
    const fixes = outcome.findings.flatMap(({ fix = [] }) => fix);
    const mended = audited(NETWORK, { objects: [...threeMembers(), ...AROUND, ...policies, ...fixes] });
    assert.deepEqual(codesOf(mended), what.includes("shuts it in") ? codes : []);
  });

test("the policy that is to blame is named, with the first connection that it cuts", () => {
  const { findings } = audited(NETWORK, {
    objects: [...threeMembers(), ...AROUND, egress(without(OPEN_EGRESS, 0))],
  });
  const [finding] = findings.map(({ fix: _fix, ...rest }) => rest);
  assert.deepEqual(
    [finding],
    [
      {
        code: "blocked-api-server",
        object: { kind: "NetworkPolicy", namespace: "db", name: "egress" },
        field: "spec",
        evidence:
          "db/pg-0 → 172.18.0.2:6443 TCP: db/egress isolates db/pg-0 for egress, and no rule allows it",
      },
    ],
  );
});

test("before there is a pod, the template counts", () => {
  const objects = [namespace("db"), statefulSet(), ...AROUND, ingress(without(OPEN_INGRESS, 0))];
  assert.deepEqual(codesOf(audited(NETWORK, { objects })), ["blocked-postgres"]);
});

test("what depends on the network plugin is neither a finding nor clean", () => {
  const block = ingress([{ from: [{ ipBlock: { cidr: "10.244.0.0/16" } }] }]);
  const { findings, unseen } = audited(NETWORK, { objects: [...threeMembers(), ...AROUND, block] });
  assert.deepEqual(findings, []);
  assert.ok(
    unseen.some(
      ({ why }) => why === "whether db/pg-0 → db/pg-1:5432 TCP is allowed depends on the network plugin",
    ),
  );
});

test("policies that cannot be read are no clean bill", () => {
  const { findings, unseen } = audited(NETWORK, {
    objects: [...threeMembers(), ...AROUND],
    hidden: { NetworkPolicy: "403: may not list networkpolicies" },
  });
  assert.deepEqual(findings, []);
  assert.equal(unseen.length, NETWORK.length);
});

test("where the cluster's DNS stands elsewhere, nothing is said of the way to it", () => {
  const known = AROUND.filter(({ metadata }) => (metadata as JsonObject).name !== "kube-dns-1");
  const outcome = audited(NETWORK, { objects: [...threeMembers(), ...known, egress(OPEN_EGRESS)] });
  assert.deepEqual(codesOf(outcome), []);
  assert.deepEqual(outcome.unseen, [
    { codes: ["blocked-dns"], why: "Service kube-system/kube-dns has no address" },
  ]);
});

test("without policies nobody needs to know who else is there", () => {
  const outcome = audited(NETWORK, { objects: threeMembers() });
  assert.deepEqual(outcome, { findings: [], unseen: [] });
});
