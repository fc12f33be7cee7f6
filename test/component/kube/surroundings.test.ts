import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { JsonObject } from "../../../src/json/value.ts";
import { watchSurroundings } from "../../../src/kube/surroundings.ts";
import { bystander, FAST, order, service, startConnected, startPlain, until } from "./support.ts";

async function scene(t: TestContext) {
  const { api, connection } = await startConnected(t);
  const others = await bystander(t, api);
  const interrupted: string[] = [];
  const create = (path: string, body: JsonObject) => others.send({ method: "POST", path, body });
  return {
    api,
    others,
    interrupted,
    watch(suspended?: (namespace: string) => boolean) {
      const watched = watchSurroundings(connection, {
        times: FAST,
        onInterrupted: (what) => void interrupted.push(what),
        ...(suspended === undefined ? {} : { suspended }),
      });
      t.after(() => watched.stop());
      return watched;
    },
    service: (namespace: string, name: string, spec: JsonObject) =>
      create(`/api/v1/namespaces/${namespace}/services`, service(name, spec)),
    node: (name: string, kubeletVersion: string) =>
      create("/api/v1/nodes", {
        apiVersion: "v1",
        kind: "Node",
        metadata: { name },
        status: { nodeInfo: { kubeletVersion, operatingSystem: "linux" } },
      }),
    slice: (namespace: string, name: string, of: string, addresses: string[]) =>
      create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name, labels: { "kubernetes.io/service-name": of } },
        addressType: "IPv4",
        endpoints: addresses.map((address) => ({ addresses: [address] })),
      }),
    group: (group: string) =>
      create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: `securitycontextconstraints.${group}` },
        spec: {
          group,
          scope: "Cluster",
          names: { plural: "securitycontextconstraints", kind: "SecurityContextConstraints" },
          versions: [{ name: "v1", served: true, storage: true }],
        },
      }),
  };
}

describe("surroundings", () => {
  it("know the facts of Services, as they are now", async (t) => {
    const made = await scene(t);
    const spec = { clusterIP: "None", publishNotReadyAddresses: true, selector: { app: "pg" } };
    await made.service("default", "headless", spec);
    const { surroundings, synced } = made.watch();
    assert.equal(surroundings.service("default", "headless"), undefined, "not seen yet");
    await until("synced", synced);
    assert.deepEqual(surroundings.service("default", "headless"), {
      headless: true,
      publishNotReadyAddresses: true,
      selector: { app: "pg" },
    });
    assert.equal(surroundings.service("kube-system", "headless"), undefined);

    await made.service("default", "later", { clusterIP: "10.96.0.7" });
    await until("later", () => surroundings.service("default", "later") !== undefined);
    assert.equal(surroundings.service("default", "later")?.headless, false);
    const path = "/api/v1/namespaces/default/services/headless";
    await made.others.send({ method: "DELETE", path });
    await until("gone", () => surroundings.service("default", "headless") === undefined);
  });

  it("know whether every kubelet runs native sidecars, as nodes come and change", async (t) => {
    const made = await scene(t);
    const { surroundings, synced } = made.watch();
    await until("synced", synced);
    assert.equal(surroundings.nativeSidecars, false);
    await made.node("new", "v1.36.3");
    await until("native", () => surroundings.nativeSidecars);
    await made.node("old", "v1.32.9");
    await until("no longer", () => !surroundings.nativeSidecars);
    await made.others.send({
      method: "PATCH",
      path: "/api/v1/nodes/old/status",
      contentType: "application/merge-patch+json",
      body: { status: { nodeInfo: { kubeletVersion: "v1.33.0" } } },
    });
    await until("upgraded", () => surroundings.nativeSidecars);
  });

  it("know where the API server is: its Service's addresses and those behind it, each once", async (t) => {
    const made = await scene(t);
    await made.service("default", "kubernetes", {
      clusterIP: "10.96.0.1",
      clusterIPs: ["10.96.0.1", "fd00::1"],
    });
    await made.service("kube-system", "kubernetes", { clusterIP: "10.96.0.9" });
    await made.slice("default", "kubernetes", "kubernetes", ["192.168.0.1", "192.168.0.2"]);
    await made.slice("default", "kubernetes-2", "kubernetes", ["192.168.0.2"]);
    await made.slice("default", "other", "other", ["192.168.0.3"]);
    await made.slice("kube-system", "kubernetes", "kubernetes", ["192.168.0.4"]);
    const { surroundings, synced } = made.watch();
    await until("synced", synced);
    const expected = ["10.96.0.1", "fd00::1", "192.168.0.1", "192.168.0.2"];
    assert.deepEqual(surroundings.apiServerAddresses, expected);
  });

  for (const [group, openshift] of [
    ["security.openshift.io", true],
    ["security.example.com", false],
  ] as const) {
    it(`are ${openshift ? "" : "not "}of an OpenShift where there is ${group}`, async (t) => {
      const made = await scene(t);
      await made.group(group);
      const { surroundings, synced } = made.watch();
      await until("synced", synced);
      assert.equal(surroundings.openshift, openshift);
    });
  }

  it("ask who is suspended", async (t) => {
    const made = await scene(t);
    const { surroundings } = made.watch((namespace) => namespace === "bad");
    const suspended = ["bad", "good"].map((namespace) => surroundings.suspended(namespace, "pg-0", "image"));
    assert.deepEqual(suspended, [true, false]);
    assert.equal(made.watch().surroundings.suspended("bad", "pg-0", "image"), false);
  });

  it("come in the end where the API server is away at first", async (t) => {
    const made = await scene(t);
    await made.group("security.openshift.io");
    await made.node("new", "v1.36.3");
    await made.service("default", "x", {});
    const away = order(made.api, { kind: "drop" });
    const { surroundings, synced } = made.watch();
    await until("tries of everything", () => new Set(made.interrupted).size >= 3);
    assert.equal(synced(), false);
    away.remove();
    await until("synced", synced);
    assert.ok(surroundings.openshift && surroundings.nativeSidecars);
    assert.ok(surroundings.service("default", "x"));
  });

  it("are not complete before it is known whether this is an OpenShift", async (t) => {
    let asked = 0;
    const connection = await startPlain(t, ({ url = "" }, response) => {
      if (url.includes("watch=true")) response.flushHeaders();
      else if (url !== "/apis") response.end(JSON.stringify({ metadata: EMPTY, items: [] }));
      else if (++asked < 4) response.writeHead(503).end();
      else response.end(JSON.stringify({ groups: [{ name: "security.openshift.io" }] }));
    });
    const watched = watchSurroundings(connection, {
      times: { ...FAST, firstPauseMs: 100 },
      onInterrupted: (what) => assert.equal(what, "apis"),
    });
    t.after(watched.stop);
    await until("synced", watched.synced);
    assert.equal(asked, 4);
    assert.equal(watched.surroundings.openshift, true);
  });

  it("stay as last seen while the API server is away", async (t) => {
    const made = await scene(t);
    await made.service("default", "x", {});
    const { surroundings, synced } = made.watch();
    await until("synced", synced);
    order(made.api, { kind: "drop" });
    await until("noticed", () => made.interrupted.filter((what) => what === "services").length >= 3);
    assert.equal(synced(), true);
    assert.ok(surroundings.service("default", "x"));
  });

  it("do without nodes and endpoints that we may not read, but not without Services", async (t) => {
    const made = await scene(t);
    await made.service("default", "kubernetes", { clusterIP: "10.96.0.1" });
    const forbidden = { kind: "status", status: 403 } as const;
    order(made.api, forbidden, { resource: "nodes" });
    order(made.api, forbidden, { resource: "endpointslices.discovery.k8s.io" });
    const services = order(made.api, forbidden, { resource: "services" });
    const { surroundings, synced } = made.watch();
    await until("refused", () => services.hits > 2 && new Set(made.interrupted).size === 3);
    assert.equal(synced(), false);
    services.remove();
    await until("synced", synced);
    assert.equal(surroundings.nativeSidecars, false);
    assert.deepEqual(surroundings.apiServerAddresses, ["10.96.0.1"]);
  });

  it("end at once, and ask nothing more", async (t) => {
    const made = await scene(t);
    const { synced, stop } = made.watch();
    await until("watching", () => synced() && made.api.openWatches === 3);
    await stop();
    await until("no watch is open", () => made.api.openWatches === 0);
    const before = made.api.audit.entries.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(made.api.audit.entries.length, before);
  });
});

describe("surroundings with 10,000 Services", () => {
  it("keep facts and not objects", async (t) => {
    const connection = await startPlain(t, ({ url = "" }, response) => {
      const query = new URLSearchParams(url.split("?")[1]);
      if (query.has("watch")) response.flushHeaders();
      else
        response.end(
          JSON.stringify(url.includes("/services") ? page(query) : { metadata: EMPTY, items: [] }),
        );
    });
    const collect = garbageCollector();
    const used = () => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    const began = performance.now();
    const { surroundings, synced, stop } = watchSurroundings(connection, {
      times: { ...FAST, watchMs: 60_000 },
      onInterrupted: (what, error) => assert.fail(`${what}: ${error}`),
    });
    t.after(stop);
    await until("synced", synced);
    const tookMs = performance.now() - began;
    const bytes = (used() - before) / SERVICES;
    assert.equal(surroundings.service("default", `s${SERVICES - 1}`)?.headless, true);
    assert.ok(bytes < 1000, `${Math.round(bytes)} bytes for a Service of more than 4,000`);
    t.diagnostic(`${SERVICES} Services in ${Math.round(tookMs)} ms, ${Math.round(bytes)} bytes of heap each`);
  });
});

const SERVICES = 10_000;
const EMPTY = { resourceVersion: "1" };

/** A page of Services of 4 KB each, made as it is asked for. */
function page(query: URLSearchParams): JsonObject {
  const [start, limit] = [Number(query.get("continue") ?? 0), Number(query.get("limit"))];
  const items = Array.from({ length: Math.min(limit, SERVICES - start) }, (_, index) => {
    const metadata = { namespace: "default", annotations: { large: "x".repeat(4000) } };
    return service(
      `s${start + index}`,
      { clusterIP: "None", selector: { app: `pg-${start + index}` } },
      metadata,
    );
  });
  const next = start + items.length;
  return { metadata: { ...EMPTY, ...(next < SERVICES ? { continue: String(next) } : {}) }, items };
}

function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
