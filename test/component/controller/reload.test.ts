import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { certificatesIn } from "../../../src/certificates/pem.ts";
import { refusal } from "../../../src/certificates/verify.ts";
import { RELOAD_LIFETIMES } from "../../../src/controller/reload/plan.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { dataOf, textsIn } from "../../../src/kube/secret-data.ts";
import { Component } from "../../../src/sidecar/reload/component.ts";
import { reloadApi } from "../../../src/sidecar/reload/http/api.ts";
import { failed } from "../../../src/sidecar/reload/outcome.ts";
import { eventually } from "../../contract/suite/eventually.ts";
import { onlyThorough } from "../../support/thorough.ts";
import { SetVersion } from "../sidecar/reload/world.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const OWN = "patroni-injector";
const TLS = "patroni-injector-reload-tls";
const AUTHORITIES = "patroni-injector-reload-ca";
const TOKEN = "the-controllers-token";
const HOST = "127.0.0.1";
const WILDCARDS = [`*.orders-headless.${NAMESPACE}.svc`, `*.orders-headless.${NAMESPACE}.svc.cluster.local`];
const ASKS = { "patroni-injector.io/reload-postgres-version": "dcs" };

const secretPath = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/secrets/${name}`;

/** Secrets as the chart makes them. */
async function addSecret(
  world: World,
  namespace: string,
  name: string,
  keeps?: string,
  data: JsonObject = {},
) {
  const labels = keeps === undefined ? {} : { "patroni-injector.io/keeps": keeps };
  await world.post(`/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name, labels: { ...labels, "app.kubernetes.io/managed-by": "Helm" } },
    type: "Opaque",
    data,
  });
}

async function secrets(world: World): Promise<void> {
  await world.post("/api/v1/namespaces", { metadata: { name: OWN } });
  await addSecret(world, OWN, AUTHORITIES, "reload-authorities");
  await addSecret(world, NAMESPACE, TLS, "reload-certificate");
}

const read = async (world: World, namespace: string, name: string) =>
  textsIn((await world.send("GET", secretPath(namespace, name))).data);

const certificate = (world: World) => read(world, NAMESPACE, TLS);

const untilIssued = async (
  world: World,
  because: string,
  holds: (texts: Record<string, string>) => boolean,
) => {
  let texts: Record<string, string> = {};
  for (let tries = 0; tries < 200; tries++) {
    texts = await certificate(world);
    if (holds(texts)) return texts;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return assert.fail(`not issued: ${because}: ${Object.keys(texts).join()}`);
};

/** A controller that looks after reload APIs, quickly, at a time that the test sets. */
function begin(world: World, clock = { ahead: 0 }, port?: number) {
  return world.controller("one", world.api, {
    authorities: { namespace: OWN, name: AUTHORITIES },
    now: () => new Date(Date.now() + clock.ahead),
    ...(port === undefined ? {} : { token: async () => TOKEN, port }),
    times: { tickMs: 10, everyMs: 40, retry: { firstPauseMs: 20, longestPauseMs: 100 } },
  });
}

const events = async (world: World, reason: string) =>
  objectsIn((await world.send("GET", `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`)).items).filter(
    (event) => event.reason === reason,
  );

const writes = (world: World) =>
  world.api.audit.entries.filter(({ resource, verb }) => resource === "secrets" && verb === "update").length;

/** A pod of the cluster that asks for the reload API, as the webhook would have made it. */
async function addAsking(world: World, name = "orders-0", secret = TLS): Promise<void> {
  const [member] = world.cluster.members;
  if (member === undefined) throw new Error("a cluster has members");
  await world.addPod(
    { ...member, name, host: HOST, ports: member.ports },
    { annotations: ASKS, sidecar: true, serves: secret },
  );
}

/** A world with a certificate, a clock that may be put forward, and the wait for another certificate. */
async function issued(t: TestContext) {
  const world = await startWorld(t, { pods: false });
  await secrets(world);
  await addAsking(world);
  const clock = { ahead: 0 };
  begin(world, clock);
  let last = await untilIssued(world, "at first", (data) => data["tls.crt"] !== undefined);
  const changed = async (because: string) => {
    const before = last["tls.crt"];
    last = await untilIssued(world, because, (data) => !!data["tls.crt"] && data["tls.crt"] !== before);
  };
  return { world, clock, changed, last: () => last };
}

describe("the reload API's certificate", { concurrency: true }, () => {
  test("is issued by an authority of its own, for the members' names", async (t) => {
    const world = await startWorld(t, { pods: false });
    await secrets(world);
    await addAsking(world);
    begin(world);
    const texts = await untilIssued(world, "a pod asks", (data) => data["tls.crt"] !== undefined);
    const { "tls.crt": leaf = "", "ca.crt": authority = "" } = texts;
    for (const name of [`orders-7.orders-headless.${NAMESPACE}.svc`, `a.${WILDCARDS[1]?.slice(2)}`])
      assert.equal(refusal(leaf, authority, name, new Date()), undefined);
    assert.match(refusal(leaf, authority, `orders-0.other.${NAMESPACE}.svc`, new Date()) ?? "", /is not for/);
    const { metadata } = await world.send("GET", secretPath(NAMESPACE, TLS));
    assert.equal(at(metadata, "labels", "app.kubernetes.io/managed-by"), "Helm");
    assert.equal(Object.keys(await read(world, OWN, AUTHORITIES)).join(), "ca-1.crt,ca-1.key");
    assert.deepEqual(await events(world, "reload-certificate"), []);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(writes(world), 2, "it goes on to write");
  });

  test("is made anew when names change, and when it is damaged", async (t) => {
    const { world, changed, last } = await issued(t);
    await world.addStatefulSet({ name: "second", scope: "second", annotations: ASKS });
    await changed("another cluster asks");
    assert.match(new X509Certificate(last()["tls.crt"] ?? "").subjectAltName ?? "", /\*\.second-headless/);
    await world.patch(secretPath(NAMESPACE, TLS), { data: { "tls.key": "" } });
    await changed("its key is gone");
  });

  test("is made anew before it expires, and in time for a new authority", {
    skip: onlyThorough,
  }, async (t) => {
    const { world, clock, changed, last } = await issued(t);
    const { leafMs, authorityMs, cachesMs } = RELOAD_LIFETIMES;
    const untilTrusted = (count: number) =>
      untilIssued(
        world,
        `${count} authorities`,
        (data) => certificatesIn(data["ca.crt"] ?? "").length === count,
      );
    clock.ahead = (leafMs * 3) / 4;
    await changed("two thirds of its life are over");
    clock.ahead = (authorityMs * 3) / 4;
    await changed("a long absence");
    await untilTrusted(2);
    clock.ahead += cachesMs + 60_000;
    await changed("the new authority was known for a day");
    assert.equal(certificatesIn(last()["ca.crt"] ?? "").length, 2, "the old one went too early");
    clock.ahead += leafMs + cachesMs;
    await untilTrusted(1);
  });

  test("a Secret of the user's own is never written", async (t) => {
    const world = await startWorld(t, { pods: false });
    await world.post("/api/v1/namespaces", { metadata: { name: OWN } });
    await addSecret(world, OWN, AUTHORITIES, "reload-authorities");
    const data = { "tls.crt": Buffer.from("theirs").toString("base64"), "tls.key": "" };
    await addSecret(world, NAMESPACE, TLS, undefined, data);
    await addAsking(world);
    begin(world);
    await eventually("it was looked at", async () => reads(world) > 2);
    assert.equal(writes(world), 0);
    assert.deepEqual(await events(world, "reload-certificate"), []);
  });

  test("without the Secret one Event says so, and it is taken up when it comes", async (t) => {
    const world = await startWorld(t, { pods: false });
    await world.post("/api/v1/namespaces", { metadata: { name: OWN } });
    await addSecret(world, OWN, AUTHORITIES, "reload-authorities");
    await addAsking(world);
    begin(world);
    await eventually("it is looked at again", async () => reads(world) > 3);
    const [event, ...others] = await events(world, "reload-certificate");
    assert.deepEqual(others, []);
    assert.match(String(event?.note), /Secret shop\/patroni-injector-reload-tls does not exist/);
    await addSecret(world, NAMESPACE, TLS, "reload-certificate");
    await untilIssued(world, "it is there", (data) => data["tls.crt"] !== undefined);
  });

  test("a pod that names its own Secret asks for none", async (t) => {
    const world = await startWorld(t, { pods: false });
    await secrets(world);
    const [member] = world.cluster.members;
    if (member === undefined) throw new Error("a cluster has members");
    await world.addPod(
      { ...member, name: "orders-0", host: HOST, ports: member.ports },
      {
        annotations: { ...ASKS, "patroni-injector.io/reload-tls-secret": "own" },
        sidecar: true,
        serves: "own",
      },
    );
    const controller = begin(world);
    await eventually("it is synced", async () => controller.synced);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(reads(world), 0);
  });
});

const reads = (world: World) =>
  world.api.audit.entries.filter(({ resource, verb }) => resource === "secrets" && verb === "get").length;

/** The sidecar's own API, behind TLS with the certificate in the Secret. */
async function serve(t: TestContext, pair: { cert: string; key: string }) {
  const asked: string[] = [];
  const version = new SetVersion();
  const component = new Component({
    name: "pgbouncer",
    versions: version,
    reload: async () => failed("reload-rejected", "no such\nuser"),
    onReload: () => undefined,
    onVersion: () => undefined,
  });
  const api = reloadApi({
    components: [component],
    admit: async ({ headers, method, url }) => {
      asked.push(`${method} ${url} ${headers.authorization}`);
      return { kind: "admitted", caller: "controller", onlyLooks: true };
    },
    onAnswer: () => undefined,
    onFault: () => undefined,
  });
  const server: Server = createServer(pair, api).listen(0, HOST);
  await once(server, "listening");
  t.after(() => {
    component.close();
    server.closeAllConnections();
    server.close();
  });
  const fail = (wanted: number) => {
    version.set(wanted);
    return component.ask(wanted, 1000, new AbortController().signal);
  };
  let connections = 0;
  server.on("connection", () => connections++);
  return { asked, fail, connections: () => connections, port: (server.address() as AddressInfo).port };
}

describe("reloads that failed", () => {
  test("are told once each, in an Event on the pod, over TLS with that certificate; not again after a restart", async (t) => {
    const world = await startWorld(t, { pods: false });
    await secrets(world);
    await addAsking(world);
    const first = begin(world);
    const texts = await untilIssued(world, "a pod asks", (data) => data["tls.crt"] !== undefined);
    await first.stop();
    const sidecar = await serve(t, { cert: texts["tls.crt"] ?? "", key: texts["tls.key"] ?? "" });
    const watching = begin(world, { ahead: 0 }, sidecar.port);
    await eventually("it asked", async () => sidecar.asked.length > 0);
    assert.equal(sidecar.asked[0], `GET /v1/status Bearer ${TOKEN}`);
    await sidecar.fail(7);
    await eventually("it is told", async () => (await events(world, "reload-failed")).length === 1);
    const [event] = await events(world, "reload-failed");
    assert.equal(asObject(event?.regarding)?.kind, "Pod");
    assert.equal(asObject(event?.regarding)?.name, "orders-0");
    assert.match(
      String(event?.note),
      /^pgbouncer at [-0-9T:.]+Z, version 7 of its configuration is in the pod: reload-rejected: no such user — /,
    );
    await sidecar.fail(8);
    await eventually("the next one too", async () => (await events(world, "reload-failed")).length === 2);
    await watching.stop();
    const before = sidecar.asked.length;
    begin(world, { ahead: 0 }, sidecar.port);
    await eventually("another controller asked", async () => sidecar.asked.length > before + 2);
    assert.equal((await events(world, "reload-failed")).length, 2);
    const looks = await world.metrics.controllerReloadLooks.get();
    assert.ok(looks.values.some(({ labels, value }) => labels.outcome === "answered" && value > 0));
  });

  test("of a pooler are told too, over TLS with its own Secret", async (t) => {
    const world = await startWorld(t, { pods: false });
    const authority = await issueAuthority("own", { from: new Date(), days: 1 });
    const names = { dnsNames: [`*.${NAMESPACE}.svc`], ipAddresses: [] };
    const leaf = await issueLeaf("pool", names, { from: new Date(), days: 1 }, authority);
    await addSecret(world, NAMESPACE, "pool-tls", undefined, dataOf({ "ca.crt": authority.certPem }));
    const name = "pool-1";
    await world.post(`/api/v1/namespaces/${NAMESPACE}/pods`, {
      metadata: { name, labels: { "patroni-injector.io/pooler-of": "orders" } },
      spec: {
        containers: [
          { name: "pgbouncer", image: "pgbouncer" },
          { name: "patroni-injector", image: "patroni-injector" },
        ],
        volumes: [{ name: TLS, secret: { secretName: "pool-tls" } }],
      },
    });
    await world.setAddress({ name }, HOST);
    await world.patch(`/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`, {
      status: { containerStatuses: [{ name: "patroni-injector", state: { running: {} } }] },
    });
    const sidecar = await serve(t, { cert: leaf.certPem, key: leaf.keyPem });
    await sidecar.fail(3);
    begin(world, { ahead: 0 }, sidecar.port);
    await eventually("it is told", async () => (await events(world, "reload-failed")).length === 1);
    const [event] = await events(world, "reload-failed");
    assert.equal(asObject(event?.regarding)?.name, name);
  });

  test("the token goes to nobody whose certificate is another's", async (t) => {
    const world = await startWorld(t, { pods: false });
    await secrets(world);
    await addAsking(world);
    const validity = { from: new Date(), days: 1 };
    const authority = await issueAuthority("another", validity);
    const names = { dnsNames: WILDCARDS, ipAddresses: [] };
    const other = await issueLeaf("other", names, validity, authority);
    const sidecar = await serve(t, { cert: other.certPem, key: other.keyPem });
    const first = begin(world);
    await untilIssued(world, "a pod asks", (data) => data["tls.crt"] !== undefined);
    await first.stop();
    begin(world, { ahead: 0 }, sidecar.port);
    await eventually("it tried", async () => sidecar.connections() > 2);
    assert.deepEqual(sidecar.asked, []);
  });
});
