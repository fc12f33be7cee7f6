import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { evaluate } from "../../../../src/audit/network/evaluate.ts";
import type { AddressEnd, Flow, PodEnd } from "../../../../src/audit/network/flow.ts";
import type { Match } from "../../../../src/audit/network/peer.ts";
import { readPolicy } from "../../../../src/audit/network/policy.ts";

/** Namespaces as the API server labels them. */
const NAMESPACES: Readonly<Record<string, Record<string, string>>> = {
  db: { "kubernetes.io/metadata.name": "db" },
  app: { "kubernetes.io/metadata.name": "app", team: "web" },
  ops: { "kubernetes.io/metadata.name": "ops", team: "ops" },
};

let lastOctet = 0;
function pod(namespace: string, labels: Record<string, string>, more: Partial<PodEnd> = {}): PodEnd {
  return {
    kind: "pod",
    namespace,
    namespaceLabels: NAMESPACES[namespace] ?? {},
    labels,
    ips: [`10.244.0.${++lastOctet}`],
    ports: [
      { name: "postgresql", port: 5432, protocol: "TCP" },
      { name: "gossip", port: 7946, protocol: "UDP" },
    ],
    hostNetwork: false,
    ...more,
  };
}

const DB = pod("db", { application: "patroni" });
const OTHER_DB = pod("db", { application: "patroni" });
const NEIGHBOUR = pod("db", { application: "backup" });
const WEB = pod("app", { tier: "web", env: "prod" });
const CRON = pod("app", { tier: "cron" });
const OPERATOR = pod("ops", { tier: "web" });
const ON_HOST = pod("ops", { tier: "web" }, { hostNetwork: true });
const UNBORN = pod("app", { tier: "web" }, { ips: [] });
const API: AddressEnd = { kind: "address", ip: "172.18.0.2" };
const OUTSIDE: AddressEnd = { kind: "address", ip: "172.17.1.9" };
const OUTSIDE_6: AddressEnd = { kind: "address", ip: "2001:db8::7" };

type End = PodEnd | AddressEnd;
type Row = readonly [what: string, from: End, to: End, port: number | `${number}/UDP`, allowed: Match];

function flow(from: End, to: End, where: Row[3]): Flow {
  if (typeof where === "number") return { from, to, port: where, protocol: "TCP" };
  return { from, to, port: Number.parseInt(where, 10), protocol: "UDP" };
}

/** @param specs of policies in namespace db, in YAML; several as documents of a list */
function table(name: string, specs: string, rows: readonly Row[]): void {
  const parsed = parse(specs);
  const policies = [parsed]
    .flat()
    .map((spec: object, index) =>
      readPolicy({ metadata: { namespace: "db", name: `p${index}` }, spec: spec as never }),
    );
  describe(name, () => {
    for (const [what, from, to, where, allowed] of rows)
      test(what, () => assert.equal(evaluate(policies, flow(from, to, where)).allowed, allowed));
  });
}

table("no policy", "[]", [
  ["within the namespace", NEIGHBOUR, DB, 5432, "yes"],
  ["from another namespace", WEB, DB, 5432, "yes"],
  ["from outside", OUTSIDE, DB, 5432, "yes"],
  ["to outside", DB, OUTSIDE, 443, "yes"],
]);

table("default deny ingress", "{podSelector: {}, policyTypes: [Ingress]}", [
  ["within the namespace", NEIGHBOUR, DB, 5432, "no"],
  ["from another namespace", WEB, DB, 5432, "no"],
  ["from outside", OUTSIDE, DB, 5432, "no"],
  ["egress stays open", DB, WEB, 80, "yes"],
  ["other namespaces stay open", DB, OPERATOR, 80, "yes"],
  ["a pod reaches itself", DB, DB, 5432, "yes"],
]);

table("allow all ingress", "{podSelector: {}, ingress: [{}], policyTypes: [Ingress]}", [
  ["within the namespace", NEIGHBOUR, DB, 5432, "yes"],
  ["from outside", OUTSIDE_6, DB, "7946/UDP", "yes"],
]);

table("default deny egress", "{podSelector: {}, policyTypes: [Egress]}", [
  ["to the API server", DB, API, 6443, "no"],
  ["to another namespace", DB, WEB, 80, "no"],
  ["within the namespace", DB, NEIGHBOUR, 80, "no"],
  ["ingress from outside the namespace stays open", WEB, DB, 5432, "yes"],
]);

table("deny all both ways", "{podSelector: {}, policyTypes: [Ingress, Egress]}", [
  ["in", WEB, DB, 5432, "no"],
  ["out", DB, API, 443, "no"],
]);

table("policies add up", "[{podSelector: {}, policyTypes: [Ingress]}, {podSelector: {}, ingress: [{}]}]", [
  ["one that allows is enough", WEB, DB, 5432, "yes"],
]);

table(
  "a policy for other pods",
  "{podSelector: {matchLabels: {application: backup}}, policyTypes: [Ingress]}",
  [
    ["does not isolate", WEB, DB, 5432, "yes"],
    ["isolates its own", WEB, NEIGHBOUR, 5432, "no"],
  ],
);

describe("policyTypes left out", () => {
  const PORTS = "egress: [{ports: [{port: 53, protocol: UDP}]}]";
  table("with egress rules both are meant", `{podSelector: {}, ${PORTS}}`, [
    ["ingress is closed", WEB, DB, 5432, "no"],
    ["egress is as the rules say", DB, API, 443, "no"],
    ["and its rule holds", DB, OUTSIDE, "53/UDP", "yes"],
  ]);
  table("without egress rules only ingress is", "{podSelector: {}}", [
    ["ingress is closed", WEB, DB, 5432, "no"],
    ["egress is open", DB, API, 443, "yes"],
  ]);
  table(
    "egress rules under Ingress alone do nothing",
    `{podSelector: {}, policyTypes: [Ingress], ${PORTS}}`,
    [["egress is open", DB, API, 443, "yes"]],
  );
});

table(
  "namespaceSelector and podSelector in one entry: both must hold",
  `{podSelector: {}, ingress: [{from: [
    {namespaceSelector: {matchLabels: {team: web}}, podSelector: {matchLabels: {tier: web}}}]}]}`,
  [
    ["both hold", WEB, DB, 5432, "yes"],
    ["the namespace alone", CRON, DB, 5432, "no"],
    ["the pod alone", OPERATOR, DB, 5432, "no"],
    ["a pod whose address is not known yet", UNBORN, DB, 5432, "yes"],
  ],
);

table(
  "namespaceSelector and podSelector in two entries: either will do",
  `{podSelector: {}, ingress: [{from: [
    {namespaceSelector: {matchLabels: {team: web}}}, {podSelector: {matchLabels: {application: backup}}}]}]}`,
  [
    ["by the namespace", CRON, DB, 5432, "yes"],
    ["by the pod, in the policy's own namespace", NEIGHBOUR, DB, 5432, "yes"],
    ["a pod of neither", OPERATOR, DB, 5432, "no"],
    ["no address is a pod", OUTSIDE, DB, 5432, "no"],
  ],
);

table(
  "a podSelector alone means the policy's own namespace",
  "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {tier: web}}}]}]}",
  [["the same labels elsewhere", WEB, DB, 5432, "no"]],
);

table(
  "empty selectors select everything",
  "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}",
  [
    ["every pod of every namespace", CRON, DB, 5432, "yes"],
    ["but no address outside", OUTSIDE, DB, 5432, "no"],
    ["a pod with its node's network may count as the node", ON_HOST, DB, 5432, "depends"],
  ],
);

table(
  "an empty list of peers is every peer",
  "{podSelector: {}, ingress: [{from: [], ports: [{port: 5432}]}]}",
  [
    ["on the port", OUTSIDE, DB, 5432, "yes"],
    ["not on another", OUTSIDE, DB, 8008, "no"],
  ],
);

table(
  "ipBlock with except",
  `{podSelector: {}, policyTypes: [Ingress, Egress],
    ingress: [{from: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}]}],
    egress: [{to: [{ipBlock: {cidr: 172.18.0.2/32}}], ports: [{port: 6443}]},
             {to: [{ipBlock: {cidr: "2001:db8::/64"}}]}]}`,
  [
    ["inside", { kind: "address", ip: "172.17.2.9" }, DB, 5432, "yes"],
    ["excepted", OUTSIDE, DB, 5432, "no"],
    ["outside", API, DB, 5432, "no"],
    ["another family", OUTSIDE_6, DB, 5432, "no"],
    ["egress to one address on its port", DB, API, 6443, "yes"],
    ["egress to it on another port", DB, API, 443, "no"],
    ["egress over IPv6", DB, OUTSIDE_6, 443, "yes"],
  ],
);

table("ipBlock and pods", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16}}]}]}", [
  ["a pod inside: plugins differ", WEB, DB, 5432, "depends"],
  ["a pod without an address yet", UNBORN, DB, 5432, "depends"],
  ["a pod outside", pod("app", {}, { ips: ["10.99.0.1"] }), DB, 5432, "no"],
]);

table(
  "a malformed range holds nothing",
  "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/99}}]}]}",
  [["nobody", { kind: "address", ip: "10.0.0.1" }, DB, 5432, "no"]],
);

table(
  "ports",
  `{podSelector: {}, ingress: [{ports: [
    {port: postgresql}, {port: 8008, protocol: TCP}, {port: 9000, endPort: 9010}, {port: gossip, protocol: UDP}]}]}`,
  [
    ["a name", WEB, DB, 5432, "yes"],
    ["a name of another protocol", WEB, DB, 7946, "no"],
    ["a name of its protocol", WEB, DB, "7946/UDP", "yes"],
    ["a number", WEB, DB, 8008, "yes"],
    ["a number of another protocol", WEB, DB, "8008/UDP", "no"],
    ["a range's first", WEB, DB, 9000, "yes"],
    ["a range's last", WEB, DB, 9010, "yes"],
    ["past a range", WEB, DB, 9011, "no"],
    ["before a range", WEB, DB, 8999, "no"],
    ["a name that the pod does not have", WEB, pod("db", {}, { ports: [] }), 5432, "no"],
  ],
);

table(
  "a protocol without a port is each of its ports",
  "{podSelector: {}, ingress: [{ports: [{protocol: UDP}]}]}",
  [
    ["of the protocol", WEB, DB, "9/UDP", "yes"],
    ["of another", WEB, DB, 9, "no"],
  ],
);

table(
  "a name in an egress rule is looked up at the pod that is reached",
  "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: postgresql}]}]}",
  [
    [
      "a pod",
      DB,
      pod("app", {}, { ports: [{ name: "postgresql", port: 6000, protocol: "TCP" }] }),
      6000,
      "yes",
    ],
    [
      "the number it has here",
      DB,
      pod("app", {}, { ports: [{ name: "postgresql", port: 6000, protocol: "TCP" }] }),
      5432,
      "no",
    ],
    ["an address has no names", DB, OUTSIDE, 5432, "no"],
  ],
);

table(
  "matchExpressions",
  `{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [
      {key: kubernetes.io/metadata.name, operator: In, values: [app, ops]}, {key: team, operator: NotIn, values: [ops]}]},
    podSelector: {matchExpressions: [{key: env, operator: DoesNotExist}, {key: tier, operator: Exists}]}}]}]}`,
  [
    ["all hold", CRON, DB, 5432, "yes"],
    ["a label that must not be there", WEB, DB, 5432, "no"],
    ["a value that must not be there", OPERATOR, DB, 5432, "no"],
  ],
);

table(
  "NotIn holds where the label is absent",
  "{podSelector: {matchExpressions: [{key: tier, operator: NotIn, values: [web]}]}, policyTypes: [Ingress]}",
  [["so the policy isolates", WEB, DB, 5432, "no"]],
);

table(
  "both sides count",
  `[{podSelector: {matchLabels: {application: patroni}}, policyTypes: [Ingress, Egress],
     ingress: [{from: [{podSelector: {matchLabels: {application: patroni}}}]}], egress: []}]`,
  [["ingress allows, egress does not", OTHER_DB, DB, 5432, "no"]],
);

test("who is to blame is named, each on its side", () => {
  const policies = [
    readPolicy({
      metadata: { namespace: "db", name: "closed" },
      spec: { podSelector: {}, policyTypes: ["Egress"] },
    }),
    readPolicy({ metadata: { namespace: "app", name: "shut" }, spec: { podSelector: {} } }),
    readPolicy({ metadata: { namespace: "ops", name: "elsewhere" }, spec: { podSelector: {} } }),
  ];
  const { allowed, egress, ingress } = evaluate(policies, flow(DB, WEB, 80));
  assert.equal(allowed, "no");
  assert.deepEqual(
    egress.isolatedBy.map(({ name }) => name),
    ["closed"],
  );
  assert.deepEqual(
    ingress.isolatedBy.map(({ name }) => name),
    ["shut"],
  );
});

test("policies say nothing certain of a pod that has its node's network", () => {
  const policies = [
    readPolicy({ metadata: { namespace: "ops", name: "closed" }, spec: { podSelector: {} } }),
  ];
  assert.equal(evaluate(policies, flow(WEB, ON_HOST, 80)).allowed, "depends");
});
