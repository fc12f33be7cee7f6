import assert from "node:assert/strict";
import { describe, test } from "node:test";
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
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
      { name: "metrics", port: 9153, protocol: "TCP" },
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

describe("where the cluster has its DNS", () => {
  const elsewhere = AROUND.filter(({ metadata }) => (metadata as JsonObject).name !== "kube-dns-1");
  const target = (ns: string, name: string) => ({
    addresses: ["10.244.9.9"],
    targetRef: { kind: "Pod", namespace: ns, name },
  });
  const OPENSHIFT = [
    namespace("openshift-dns"),
    pod("openshift-dns", "dns-default-x", { "dns.operator.openshift.io/daemonset-dns": "default" }),
    slice(
      "openshift-dns",
      "dns-default",
      [target("openshift-dns", "dns-default-x")],
      [
        { name: "dns", port: 5353, protocol: "UDP" },
        { name: "dns-tcp", port: 5353, protocol: "TCP" },
        { name: "metrics", port: 9154, protocol: "TCP" },
      ],
    ),
  ];
  const otherwise = "rke2-coredns-rke2-coredns";
  const LABELLED = [
    {
      ...slice(
        "kube-system",
        otherwise,
        [target("kube-system", "coredns-1")],
        [{ name: "udp-53", port: 53, protocol: "UDP" }],
      ),
      metadata: {
        namespace: "kube-system",
        name: otherwise,
        labels: { "kubernetes.io/service-name": otherwise, "k8s-app": "kube-dns" },
      },
    },
  ];
  const cache = (args: string[], hostNetwork = true): JsonObject[] => [
    {
      ...pod("kube-system", "node-local-dns-x", { "k8s-app": "node-local-dns" }),
      spec: { hostNetwork, containers: [{ name: "node-cache", args }] },
    },
  ];
  const rest = without(OPEN_EGRESS, 1);
  const to = (peer: JsonObject, port: number): JsonObject => ({
    to: [peer],
    ports: [{ port }, { port, protocol: "UDP" }],
  });
  const address = (ip: string): JsonObject => ({ ipBlock: { cidr: `${ip}/32` } });
  const outcomeOf = (dns: readonly JsonObject[], rule: JsonObject, around = elsewhere) =>
    audited(NETWORK, { objects: [...threeMembers(), ...around, ...dns, egress([...rest, rule])] });

  for (const [what, codes, dns, rule] of [
    ["OpenShift, at its own port", [], OPENSHIFT, to(inNamespace("openshift-dns"), 5353)],
    ["OpenShift, at 53", ["blocked-dns"], OPENSHIFT, to(inNamespace("openshift-dns"), 53)],
    ["OpenShift, and kube-system is open", ["blocked-dns"], OPENSHIFT, to(inNamespace("kube-system"), 5353)],
    ["a Service of another name", [], LABELLED, to(inNamespace("kube-system"), 53)],
    ["a Service of another name, closed", ["blocked-dns"], LABELLED, to(inNamespace("ops"), 53)],
  ] as const)
    test(what, () => {
      const outcome = outcomeOf(dns, rule);
      assert.deepEqual(codesOf(outcome), codes);
      assert.deepEqual(outcome.unseen, []);
    });

  for (const [what, depends, dns, rule] of [
    ["a cache on each node, open", [], cache([]), to(address("169.254.20.10"), 53)],
    [
      "a cache at another address, open",
      [],
      cache(["-localip", "169.254.25.10,10.96.0.10", "-conf", "/etc/Corefile"]),
      to(address("169.254.25.10"), 53),
    ],
    [
      "a cache at another address, closed: it depends",
      ["169.254.25.10"],
      cache(["-localip=169.254.25.10"]),
      to(address("169.254.20.10"), 53),
    ],
    [
      "a cache on each node, and only the Service is open: it depends",
      ["169.254.20.10"],
      cache([]),
      to(inNamespace("kube-system"), 53),
    ],
    ["a cache that is reached through the Service", [], cache([], false), to(inNamespace("kube-system"), 53)],
  ] as const)
    test(what, () => {
      const outcome = outcomeOf(dns, rule, AROUND);
      assert.deepEqual(codesOf(outcome), []);
      const found = outcome.unseen.map(({ why }) => / → the node's DNS, (\S+):53 /.exec(why)?.[1]);
      assert.deepEqual([...new Set(found)], depends);
    });

  test("nowhere that could be looked at", () => {
    const hide = (kind: string, ns?: string) =>
      kind === "EndpointSlice" && ns === "kube-system" ? "403: endpointslices" : undefined;
    const objects = [...threeMembers(), ...elsewhere, egress(OPEN_EGRESS)];
    assert.deepEqual(audited(NETWORK, { objects, hide }).unseen, [
      { codes: ["blocked-dns"], why: "403: endpointslices" },
    ]);
    const openshift = audited(NETWORK, { objects: [...objects, ...OPENSHIFT], hide });
    assert.deepEqual(codesOf(openshift), ["blocked-dns"]);
  });
});

describe("policies of other namespaces than the cluster's", () => {
  const hide = (kind: string, ns?: string) =>
    kind === "NetworkPolicy" && ns === "ops" ? "403: networkpolicies of ops" : undefined;
  const HIDDEN = [{ codes: ["blocked-operator"], why: "403: networkpolicies of ops" }];

  test("the operator's could not be read: that is said, also where there are none here", () => {
    const objects = [...threeMembers(), ...AROUND];
    assert.deepEqual(audited(NETWORK, { objects, hide }), { findings: [], unseen: HIDDEN });
    const open = audited(NETWORK, { objects: [...objects, ingress(OPEN_INGRESS)], hide });
    assert.deepEqual(open, { findings: [], unseen: HIDDEN });
  });

  test("what is cut here is cut, whatever they say", () => {
    const objects = [...threeMembers(), ...AROUND, ingress(without(OPEN_INGRESS, 2))];
    const outcome = audited(NETWORK, { objects, hide });
    assert.deepEqual(codesOf(outcome), ["blocked-operator"]);
    assert.deepEqual(outcome.unseen, []);
  });

  test("a policy over the DNS servers", () => {
    const shut = policy("shut", {}, "kube-system");
    const outcome = audited(NETWORK, { objects: [...threeMembers(), ...AROUND, shut] });
    assert.deepEqual(codesOf(outcome), ["blocked-dns"]);
  });
});

test("where the cluster's DNS stands elsewhere, nothing is said of the way to it", () => {
  const known = AROUND.filter(({ metadata }) => (metadata as JsonObject).name !== "kube-dns-1");
  const outcome = audited(NETWORK, { objects: [...threeMembers(), ...known, egress(OPEN_EGRESS)] });
  assert.deepEqual(codesOf(outcome), []);
  assert.deepEqual(outcome.unseen, [
    {
      codes: ["blocked-dns"],
      why: "neither Service kube-system/kube-dns nor openshift-dns/dns-default has an address",
    },
  ]);
});

test("without policies nobody needs to know who else is there", () => {
  const outcome = audited(NETWORK, { objects: threeMembers() });
  assert.deepEqual(outcome, { findings: [], unseen: [] });
});
