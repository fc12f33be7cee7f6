import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PartReason } from "../../../../src/contract/reasons.ts";
import type { ServiceFacts } from "../../../../src/injection/settings.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { inject, injected, ours, patroniPod, spiloPod, type World } from "../world.ts";

interface Row {
  readonly name: string;
  readonly pod: JsonObject;
  readonly world?: World;
  readonly hostname: string | undefined;
  readonly subdomain: string | undefined;
  /** The reason why there is no DNS name; absent where there is one. */
  readonly without?: PartReason;
}

const services = (all: Readonly<Record<string, Partial<ServiceFacts>>>): World => ({ services: all });
const clusterIp: Partial<ServiceFacts> = { headless: false };
const on = (subdomain: string | null, more: JsonObject = {}): JsonObject =>
  patroniPod({ spec: { subdomain, ...more } });
const address = (value: string) => ({ name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", value });
const anyScope = "s".repeat(60);

/** Which subdomain a pod gets, by what holds the name that it came with. */
const SUBDOMAINS: readonly Row[] = [
  { name: "none: ours", pod: on(null), hostname: "pg-0", subdomain: "pg-headless" },
  { name: "empty: ours", pod: on(""), hostname: "pg-0", subdomain: "pg-headless" },
  { name: "ours already", pod: on("pg-headless"), hostname: "pg-0", subdomain: "pg-headless" },
  {
    name: "ours, and its Service is there",
    pod: on(null),
    world: services({ "pg-headless": {} }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
  {
    name: "a headless Service: kept",
    pod: on("pods"),
    world: services({ pods: {} }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "a Service with a ClusterIP: ours",
    pod: on("pods"),
    world: services({ pods: clusterIp }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
  {
    name: "the scope's name, not seen (Patroni's leader Service): ours",
    pod: on("pg"),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
  {
    name: "the scope's name with a ClusterIP: ours",
    pod: on("pg"),
    world: services({ pg: clusterIp }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
  {
    name: "the scope's name, but headless: kept",
    pod: on("pg"),
    world: services({ pg: {} }),
    hostname: "pg-0",
    subdomain: "pg",
  },
  {
    name: "unknown: kept, and nothing announced",
    pod: on("pods"),
    hostname: "pg-0",
    subdomain: "pods",
    without: "subdomain-in-use",
  },
  {
    name: "headless, but hides not-ready pods: kept, and nothing announced",
    pod: on("pods"),
    world: services({ pods: { publishNotReadyAddresses: false } }),
    hostname: "pg-0",
    subdomain: "pods",
    without: "headless-unusable",
  },
  {
    name: "headless, but selects other pods",
    pod: on("pods"),
    world: services({ pods: { selector: { app: "x" } } }),
    hostname: "pg-0",
    subdomain: "pods",
    without: "headless-unusable",
  },
  {
    name: "headless, but without a selector",
    pod: on("pods"),
    world: services({ pods: { selector: {} } }),
    hostname: "pg-0",
    subdomain: "pods",
    without: "headless-unusable",
  },
  {
    name: "ours already, but its Service has a ClusterIP: nothing announced",
    pod: on("pg-headless"),
    world: services({ "pg-headless": clusterIp }),
    hostname: "pg-0",
    subdomain: "pg-headless",
    without: "headless-unusable",
  },
  {
    name: "our name is taken by a ClusterIP",
    pod: on("pg"),
    world: services({ "pg-headless": clusterIp }),
    hostname: "pg-0",
    subdomain: "pg",
    without: "headless-unusable",
  },
  {
    name: "our name is taken by a Service of other pods",
    pod: on(null),
    world: services({ "pg-headless": { selector: { "cluster-name": "other" } } }),
    hostname: "pg-0",
    subdomain: undefined,
    without: "headless-unusable",
  },
  {
    name: "a selector by the pod's own labels",
    pod: on("pods"),
    world: services({ pods: { selector: { "cluster-name": "pg", application: "patroni" } } }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "a selector by a prototype's key matches nothing",
    pod: on("pods"),
    world: services({ pods: { selector: { constructor: "x" } } }),
    hostname: "pg-0",
    subdomain: "pods",
    without: "headless-unusable",
  },
];

/** The annotation `headless-service` names the Service whatever the pod came with. */
const ANNOTATED: readonly Row[] = [
  ...[
    { name: "none", pod: null, all: {} },
    { name: "unknown", pod: "pods", all: {} },
    { name: "headless", pod: "pods", all: { pods: {} } },
    { name: "with a ClusterIP", pod: "pods", all: { pods: clusterIp } },
  ].map(({ name, pod, all }) => ({
    name: `annotation over a subdomain that is ${name}`,
    pod: patroniPod({ annotations: ours({ "headless-service": "mine" }), spec: { subdomain: pod } }),
    world: services(all),
    hostname: "pg-0",
    subdomain: "mine",
  })),
  {
    name: "annotation, but the Service it names has a ClusterIP",
    pod: patroniPod({ annotations: ours({ "headless-service": "mine" }) }),
    world: services({ mine: clusterIp }),
    hostname: "pg-0",
    subdomain: "pg",
    without: "headless-unusable",
  },
];

/** An address of the user's that mentions the subdomain settles it. */
const MENTIONED: readonly Row[] = [
  {
    name: "in Patroni's variable",
    pod: patroniPod({ env: [address("pg-0.pods.db.svc:5432")], spec: { subdomain: "pods" } }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "though it has a ClusterIP",
    pod: patroniPod({ env: [address("pg-0.pods.db.svc:5432")], spec: { subdomain: "pods" } }),
    world: services({ pods: clusterIp }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "though an annotation names another",
    pod: patroniPod({
      annotations: ours({ "headless-service": "mine" }),
      env: [address("$(PATRONI_NAME).pods:5432")],
      spec: { subdomain: "pods" },
    }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "in SPILO_CONFIGURATION",
    pod: spiloPod({
      env: [{ name: "SPILO_CONFIGURATION", value: "restapi: {connect_address: pg-0.pods:8008}" }],
      spec: { subdomain: "pods" },
    }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "in the SPILO_CONFIGURATION that counts, the last",
    pod: spiloPod({
      env: [
        { name: "SPILO_CONFIGURATION", value: "a: 1" },
        { name: "SPILO_CONFIGURATION", value: "restapi: {connect_address: pg-0.pods:8008}" },
      ],
      spec: { subdomain: "pods" },
    }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "behind an anchor",
    pod: spiloPod({
      env: [{ name: "SPILO_CONFIGURATION", value: "restapi: &r {connect_address: pg-0.pods:8008}\nx: *r" }],
      spec: { subdomain: "pods" },
    }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "in Spilo's variable",
    pod: spiloPod({
      env: [{ name: "RESTAPI_CONNECT_ADDRESS", value: "pg-0.pods:8008" }],
      spec: { subdomain: "pods" },
    }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "in PATRONI_CONFIGURATION",
    pod: patroniPod({
      env: [{ name: "PATRONI_CONFIGURATION", value: '{"postgresql":{"connect_address":"pg-0.pods:5432"}}' }],
      spec: { subdomain: "pods" },
    }),
    hostname: "pg-0",
    subdomain: "pods",
  },
  {
    name: "a part of a name is no mention",
    pod: patroniPod({ env: [address("pg-0.pods2.db.svc:5432")], spec: { subdomain: "pods" } }),
    hostname: "pg-0",
    subdomain: "pods",
    without: "subdomain-in-use",
  },
  {
    name: "an address that we wrote is no mention",
    pod: patroniPod({
      env: [
        { name: "PATRONI_INJECTOR_POD_NAME", value: "x" },
        address("$(PATRONI_INJECTOR_POD_NAME).pods.db.svc:5432"),
      ],
      spec: { subdomain: "pods" },
    }),
    world: services({ pods: clusterIp }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
];

/** The host part of the name. */
const HOSTS: readonly Row[] = [
  {
    name: "hostname absent: the pod's name",
    pod: on(null, { hostname: null }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
  {
    name: "hostname of the user's: kept",
    pod: on(null, { hostname: "mine" }),
    hostname: "mine",
    subdomain: "pg-headless",
  },
  {
    name: "generateName only",
    pod: patroniPod({
      metadata: { name: null, generateName: "pg-" },
      spec: { hostname: null, subdomain: null },
    }),
    hostname: undefined,
    subdomain: undefined,
    without: "no-stable-name",
  },
  {
    name: "generateName, but a hostname",
    pod: patroniPod({
      metadata: { name: null, generateName: "pg-" },
      spec: { hostname: "mine", subdomain: null },
    }),
    hostname: "mine",
    subdomain: "pg-headless",
  },
  {
    name: "a name that is no DNS label",
    pod: patroniPod({ metadata: { name: "pg.0" }, spec: { hostname: null, subdomain: null } }),
    hostname: undefined,
    subdomain: undefined,
    without: "invalid-name",
  },
  {
    name: "a name longer than a DNS label",
    pod: patroniPod({ metadata: { name: "p".repeat(64) }, spec: { hostname: null, subdomain: null } }),
    hostname: undefined,
    subdomain: undefined,
    without: "invalid-name",
  },
  {
    name: "the same with a hostname",
    pod: patroniPod({ metadata: { name: "p".repeat(64) }, spec: { hostname: "mine", subdomain: null } }),
    hostname: "mine",
    subdomain: "pg-headless",
  },
];

/** Pods that do not resolve cluster names. */
const RESOLVERS: readonly Row[] = [
  {
    name: "dnsPolicy ClusterFirst",
    pod: on("pg", { dnsPolicy: "ClusterFirst" }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
  { name: "dnsPolicy empty", pod: on("pg", { dnsPolicy: "" }), hostname: "pg-0", subdomain: "pg-headless" },
  {
    name: "dnsPolicy Default",
    pod: on("pg", { dnsPolicy: "Default" }),
    hostname: "pg-0",
    subdomain: "pg",
    without: "no-cluster-dns",
  },
  {
    name: "dnsPolicy None",
    pod: on("pg", { dnsPolicy: "None" }),
    hostname: "pg-0",
    subdomain: "pg",
    without: "no-cluster-dns",
  },
  {
    name: "host network",
    pod: on("pg", { hostNetwork: true }),
    hostname: "pg-0",
    subdomain: "pg",
    without: "no-cluster-dns",
  },
  {
    name: "host network with ClusterFirstWithHostNet",
    pod: on("pg", { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }),
    hostname: "pg-0",
    subdomain: "pg-headless",
  },
];

/** Offline, in a template: its pods have no names yet, and nothing is written for them. */
const stateful = (serviceName: string | undefined, all = {}): World => ({
  ...services(all),
  subject: { origin: "stateful-template", ...(serviceName === undefined ? {} : { serviceName }) },
});
const template = patroniPod({ metadata: { name: null }, spec: { hostname: null, subdomain: null } });
const TEMPLATES: readonly Row[] = [
  {
    name: "a StatefulSet whose serviceName is ours",
    pod: template,
    world: stateful("pg-headless"),
    hostname: undefined,
    subdomain: undefined,
  },
  {
    name: "a StatefulSet whose serviceName is headless",
    pod: template,
    world: stateful("pods", { pods: {} }),
    hostname: undefined,
    subdomain: undefined,
  },
  {
    name: "a StatefulSet whose serviceName is unknown",
    pod: template,
    world: stateful("pods"),
    hostname: undefined,
    subdomain: undefined,
    without: "subdomain-in-use",
  },
  {
    name: "a StatefulSet whose serviceName has a ClusterIP",
    pod: template,
    world: stateful("pg", { pg: clusterIp }),
    hostname: undefined,
    subdomain: undefined,
    without: "subdomain-in-use",
  },
  {
    name: "a StatefulSet without serviceName",
    pod: template,
    world: stateful(undefined),
    hostname: undefined,
    subdomain: undefined,
    without: "subdomain-in-use",
  },
  {
    name: "another workload",
    pod: template,
    world: { subject: { origin: "template" } },
    hostname: undefined,
    subdomain: undefined,
    without: "no-stable-name",
  },
];

const ALL = { SUBDOMAINS, ANNOTATED, MENTIONED, HOSTS, RESOLVERS, TEMPLATES };
for (const [group, rows] of Object.entries(ALL)) {
  describe(`pod DNS: ${group.toLowerCase()}`, () => {
    for (const { name, pod, world, hostname, subdomain, without } of rows) {
      test(name, () => {
        const { spec, reasons, applied } = inject(pod, world);
        assert.equal(spec.hostname ?? undefined, hostname);
        assert.equal(spec.subdomain ?? undefined, subdomain);
        assert.equal(applied.includes("pod-dns"), without === undefined);
        const told = reasons.filter((reason) =>
          /^(subdomain|headless|no-stable|no-cluster-dns|invalid-name)/.test(reason),
        );
        assert.deepEqual(told, without === undefined ? [] : [without]);
        if (without !== undefined) assert.ok(!applied.includes("connect-addresses"));
      });
    }
  });
}

describe("pod DNS: what else", () => {
  test("switched off together with the connect addresses", () => {
    const { spec, applied, env } = inject(patroniPod({ annotations: ours({ "connect-addresses": "off" }) }));
    assert.equal(spec.subdomain, "pg");
    assert.deepEqual(applied, ["mesh", "sidecar"]);
    assert.equal(env.length, 2);
  });

  test("every injected pod carries the label that the headless Service selects by", () => {
    assert.equal(inject(patroniPod()).labels["patroni-injector.io/cluster"], "pg");
    const long = inject(
      patroniPod({ spec: { dnsPolicy: "None" }, env: [{ name: "PATRONI_SCOPE", value: "my/scope" }] }),
    );
    assert.match(long.labels["patroni-injector.io/cluster"] ?? "", /^my-scope-[0-9a-f]{10}$/);
  });

  test("a scope too long for a name gets a hash", () => {
    const { spec } = inject(patroniPod({ labels: { "cluster-name": anyScope } }));
    assert.equal(spec.subdomain, "pg", "no Service of the user's can be told from the scope: it stays");
    const free = inject(patroniPod({ labels: { "cluster-name": anyScope }, spec: { subdomain: null } }));
    assert.match(String(free.spec.subdomain), /^s{43}-[0-9a-f]{10}-headless$/);
  });

  test("details name the Service and what is wrong with it", () => {
    const detail = (facts: Partial<ServiceFacts>) =>
      inject(patroniPod(), services({ "pg-headless": facts })).notes.map((note) => note.detail)[0];
    assert.equal(detail({ headless: false }), 'Service "pg-headless" has a ClusterIP');
    assert.equal(
      detail({ publishNotReadyAddresses: false }),
      'Service "pg-headless" does not publish not-ready addresses',
    );
    assert.equal(detail({ selector: {} }), 'Service "pg-headless" has no selector');
    assert.equal(
      detail({ selector: { app: "x" } }),
      'Service "pg-headless" selects app=x, which this pod has not',
    );
    assert.match(
      inject(template, stateful("pg", { pg: clusterIp })).notes[0]?.detail ?? "",
      /serviceName "pg" as subdomain; set serviceName: pg-headless$/,
    );
  });
});

describe("a copy of an injected pod", () => {
  const original = injected(patroniPod());
  const copy = (name: string): JsonObject => ({
    ...original,
    metadata: { name, labels: { application: "patroni", "cluster-name": "pg" } },
  });

  test("answers to its own name, not to the original's", () => {
    const { spec, reasons, notes } = inject(copy("pg-0-debug"));
    assert.equal(spec.hostname, "pg-0-debug");
    assert.deepEqual(reasons, ["copied-pod"]);
    assert.equal(notes[0]?.detail, 'hostname was "pg-0", is now "pg-0-debug"');
  });

  test("is told by what it announces: a variable of the user's that follows the pod's name makes none", () => {
    const env = [{ name: "MINE", value: "$(PATRONI_INJECTOR_POD_NAME)" }];
    const pod = patroniPod({ env, spec: { hostname: "mine" } });
    assert.equal(inject(injected(pod)).spec.hostname, "mine");
    assert.equal(inject(injected(pod)).reason, "already-injected");
  });

  test("keeps the hostname where its name is no DNS label", () => {
    const { spec, reasons } = inject(copy("pg.0.debug"));
    assert.equal(spec.hostname, "pg-0");
    assert.ok(!reasons.includes("copied-pod"));
  });

  test("a second pass finds nothing left to do", () => {
    assert.equal(inject(injected(copy("pg-0-debug"))).reason, "already-injected");
  });
});
