import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { podEnd } from "../../../../src/audit/network/ends.ts";
import { evaluate } from "../../../../src/audit/network/evaluate.ts";
import type { End, Protocol } from "../../../../src/audit/network/flow.ts";
import { readPolicy } from "../../../../src/audit/network/policy.ts";
import {
  type NetworkFacts,
  networkChoice,
  networkPolicy,
} from "../../../../src/controller/desired/network-policy.ts";
import { at, type JsonObject } from "../../../../src/json/value.ts";
import { poolerPortsOf } from "../../../../src/patroni/pooler.ts";
import { member, settingsOf, viewOf } from "../views.ts";
import { ALL, choiceOf, FACTS } from "./network-choices.ts";

const end = (namespace: string, labels: JsonObject, ip: string): End =>
  podEnd({ metadata: { name: ip, labels }, status: { podIPs: [{ ip }] }, spec: {} }, namespace, {
    "kubernetes.io/metadata.name": namespace,
  });
const INJECTED = { application: "patroni", "cluster-name": "pg", "patroni-injector.io/cluster": "pg" };
const ENDS = {
  member: end("db", INJECTED, "10.0.0.1"),
  another: end("db", INJECTED, "10.0.0.2"),
  uninjected: end("db", { application: "patroni", "cluster-name": "pg" }, "10.0.0.3"),
  stranger: end("db", { ...INJECTED, "cluster-name": "x", "patroni-injector.io/cluster": "x" }, "10.0.0.4"),
  controller: end("patroni-injector", { app: "injector" }, "10.0.1.1"),
  operator: end("postgres-operator", { app: "operator" }, "10.0.1.2"),
  prometheus: end("monitoring", { app: "prometheus" }, "10.0.1.3"),
  client: end("shop", { app: "shop" }, "10.0.1.4"),
  anybody: end("else", { app: "else" }, "10.0.1.5"),
  dns: end("kube-system", { "k8s-app": "kube-dns" }, "10.0.1.6"),
  "API server": { kind: "address", ip: "192.0.2.10" },
  "another address": { kind: "address", ip: "203.0.113.1" },
  etcd: { kind: "address", ip: "198.51.100.7" },
  "a node's probe": { kind: "address", ip: "169.254.7.127" },
} satisfies Record<string, End>;
type Name = keyof typeof ENDS;

const selector = { matchLabels: { application: "patroni", "cluster-name": "pg" } };
const pods = [
  member({ settings: settingsOf({ poolerPorts: [6432] }) }),
  member({ name: "pg-1", settings: settingsOf() }),
];
const VIEW = viewOf({ members: pods, templates: [{ settings: settingsOf(), selector } as never] });

const specOf = (entry: JsonObject, view = VIEW, facts: Partial<NetworkFacts> = {}) =>
  networkPolicy(view, choiceOf(entry), { ...FACTS, ...facts }).object;

const isAllowed = (entry: JsonObject, from: Name, to: Name, port: number, protocol: Protocol = "TCP") =>
  evaluate([readPolicy(specOf(entry))], { from: ENDS[from], to: ENDS[to], port, protocol }).allowed;

/** What must get through, or must not: by default, and with everything that may be chosen. */
const FLOWS: readonly [from: Name, to: Name, port: number, byDefault: boolean, chosen: boolean, Protocol?][] =
  [
    ["member", "dns", 53, true, true],
    ["member", "dns", 53, true, true, "UDP"],
    ["member", "dns", 80, false, false],
    ["member", "another", 5432, true, true],
    ["member", "another", 8008, true, true],
    ["member", "another", 22, false, false],
    ["member", "uninjected", 5432, true, true],
    ["uninjected", "member", 5432, true, true],
    ["uninjected", "member", 8008, true, true],
    ["stranger", "member", 8008, false, false],
    ["member", "stranger", 8008, false, false],
    ["controller", "member", 8008, true, true],
    ["controller", "member", 5432, true, true],
    ["operator", "member", 8008, false, true],
    ["operator", "member", 5432, true, true],
    ["client", "member", 5432, true, true],
    ["client", "member", 6432, true, true],
    ["client", "member", 8008, false, false],
    ["anybody", "member", 5432, true, false],
    ["anybody", "member", 6432, true, false],
    ["anybody", "member", 8008, false, false],
    ["prometheus", "member", 8011, false, true],
    ["anybody", "member", 8011, false, false],
    ["member", "API server", 443, true, true],
    ["member", "API server", 6443, true, true],
    ["member", "API server", 8443, false, true],
    ["member", "another address", 443, true, false],
    ["member", "another address", 80, false, false],
    ["member", "etcd", 2379, false, true],
    ["member", "another address", 2379, false, false],
    ["anybody", "member", 15008, false, true],
    ["member", "anybody", 15008, false, true],
    ["a node's probe", "member", 8008, false, true],
  ];

describe("what a policy lets through", () => {
  for (const [from, to, port, byDefault, chosen, protocol] of FLOWS) {
    const way = `${from} → ${to}:${port}${protocol ? ` ${protocol}` : ""}`;
    it(`${way}: ${byDefault ? "yes" : "no"} by default, ${chosen ? "yes" : "no"} with all that may be chosen`, () => {
      assert.equal(isAllowed({}, from, to, port, protocol), byDefault ? "yes" : "no");
      assert.equal(isAllowed(ALL, from, to, port, protocol), chosen ? "yes" : "no");
    });
  }

  it("isolates nobody who was not injected", () => {
    assert.equal(isAllowed({}, "anybody", "uninjected", 8008), "yes");
    assert.equal(isAllowed({}, "anybody", "stranger", 8008), "yes");
  });
});

describe("a policy follows", () => {
  const text = (view = VIEW, facts: Partial<NetworkFacts> = {}, entry: JsonObject = {}) =>
    JSON.stringify(specOf(entry, view, facts));

  it("the ports of the members", () => {
    const settings = settingsOf({ postgresPort: 6000, patroniPort: 8009 });
    const view = viewOf({ members: [member({ settings })] });
    assert.match(text(view), /6000.*8009/);
    assert.doesNotMatch(text(view), /5432|8008/);
  });

  it("the reload API, for the controller and for operators, where members serve one", () => {
    const view = viewOf({ members: [member({ settings: settingsOf({ reloadSecret: "pg-tls" }) })] });
    const flow = (from: Name, of = view) =>
      evaluate([readPolicy(specOf(ALL, of))], {
        from: ENDS[from],
        to: ENDS.member,
        port: 8012,
        protocol: "TCP",
      }).allowed;
    assert.deepEqual(
      (["controller", "operator", "another", "anybody"] as const).map((from) => flow(from)),
      ["yes", "yes", "no", "no"],
    );
    assert.equal(flow("controller", VIEW), "no");
  });

  it("the mesh, as the namespace's label or a member's says", () => {
    assert.doesNotMatch(text(), /15008/);
    assert.match(text(VIEW, { dataplaneMode: "ambient" }), /15008/);
    const labels = { "istio.io/dataplane-mode": "ambient" };
    assert.match(text(viewOf({ members: [member({ labels })] })), /15008/);
    assert.doesNotMatch(text(VIEW, { dataplaneMode: "ambient" }, { ambient: false }), /15008/);
  });

  it("OpenShift, whose DNS pods listen elsewhere", () => {
    assert.doesNotMatch(text(), /5353/);
    assert.match(text(viewOf({ openshift: true })), /5353/);
  });

  it("the API server's addresses where they are wanted, of both families; unknown ones cut nobody off", () => {
    const wanted = { apiServer: { addresses: true } };
    assert.match(text(VIEW, { apiServer: ["fd00::1"] }, wanted), /fd00::1\/128/);
    assert.match(text(VIEW, {}, wanted), /192\.0\.2\.10\/32/);
    const unknown = specOf(wanted, VIEW, { apiServer: [] });
    assert.ok(
      (at(unknown, "spec", "egress") as JsonObject[]).some(
        (rule) => rule.to === undefined && /6443/.test(JSON.stringify(rule)),
      ),
    );
  });
});

it("the first entry for a namespace counts", () => {
  const choices = [choiceOf({ namespaces: ["db"] }), choiceOf({ namespaces: ["shop", "db"] })];
  assert.equal(networkChoice(choices, "db"), choices[0]);
  assert.equal(networkChoice(choices, "shop"), choices[1]);
  assert.equal(networkChoice(choices, "else"), undefined);
  assert.notEqual(networkChoice([...choices, choiceOf()], "else"), undefined);
});

describe("a PgBouncer in the pod", () => {
  const ROWS: readonly [what: string, container: JsonObject, ports: number[]][] = [
    ["by its name", { name: "pgbouncer", image: "x" }, [6432]],
    ["by its image", { name: "pool", image: "registry.example/team/pgbouncer:1.25" }, [6432]],
    ["with a port of its own", { name: "pgbouncer", ports: [{ containerPort: 5433 }] }, [5433]],
    ["there is none", { name: "postgres", image: "registry.example/pgbouncer/postgres" }, []],
  ];
  for (const [what, container, ports] of ROWS) {
    it(what, () => assert.deepEqual(poolerPortsOf({ spec: { containers: [container] } }), ports));
  }
});
