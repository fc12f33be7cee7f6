import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Program } from "../../../demo/program.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { type ApiClient, createApiClient } from "../../cluster/api-client.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { FakeConsole } from "../../component/sidecar/reload/console.ts";
import { freePort, textAt, until } from "../../component/sidecar/world.ts";
import { poolerPod } from "../../unit/injection/pooler-pod.ts";
import { eventually } from "../suite/eventually.ts";
import { Controlled, type Place } from "./controlled.ts";
import { startInjector } from "./injector.ts";

const NAMESPACE = "db";
const ROLE = "patroni-injector-pooler.pg.pool";
const TOKENS = { pool: "token-of-the-pooler", shared: "token-of-both" };
const LABELS = { "patroni-injector.io/pooler-of": "pg" };

let controlled: Controlled;
let place: Place;
let pooler: ApiClient;
let folder: string;

before(async () => {
  const users = Object.entries(TOKENS).map(([name, token]) => ({
    name: `system:serviceaccount:${NAMESPACE}:${name}`,
    token,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${NAMESPACE}`, "system:authenticated"],
  }));
  controlled = await Controlled.start({}, { users });
  controlled.controller();
  await eventually("the controller has read everything", async () =>
    controlled.logged.some(({ msg }) => msg === "controller started"),
  );
  place = await controlled.addNamespace(NAMESPACE);
  const { url, caPem } = controlled.plane;
  pooler = createApiClient(url, caPem, { token: TOKENS.pool });
  folder = await mkdtemp(join(tmpdir(), "poolers-"));
  await writeFile(join(folder, "token"), TOKENS.pool);
  await writeFile(join(folder, "ca.crt"), caPem);
});
after(async () => {
  pooler?.close();
  await controlled?.stop();
  await rm(folder, { recursive: true });
});

/** As injection leaves it, with an account of its own. */
const injectedPooler = (name: string, account: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: LABELS },
  spec: {
    serviceAccountName: account,
    containers: [
      { name: "pgbouncer", image: "pgbouncer" },
      {
        name: "patroni-injector",
        image: "patroni-injector",
        env: [
          { name: "PATRONI_INJECTOR_ROLE", value: "pooler" },
          { name: "PATRONI_INJECTOR_CLUSTER", value: "pg" },
        ],
      },
    ],
  },
});

const member = (name: string, account: string): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { application: "patroni", "patroni-injector.io/cluster": "pg" } },
  spec: {
    serviceAccountName: account,
    containers: [
      { name: "patroni", image: "patroni", env: [{ name: "PATRONI_SCOPE", value: "pg" }] },
      {
        name: "patroni-injector",
        image: "patroni-injector",
        env: [{ name: "PATRONI_INJECTOR_CLUSTER", value: "pg" }],
      },
    ],
  },
});

const rolesNow = async (): Promise<string[]> =>
  objectsIn((await place.read(place.roles))?.items)
    .map(({ metadata }) => String(at(metadata, "name")))
    .sort();
const untilRoles = (...names: string[]) =>
  eventually(`the Roles are ${names.join(", ")}`, async () => `${await rolesNow()}` === `${names}`);
const remove = (name: string) =>
  controlled.plane.api.request("DELETE", `${place.core("pods")}/${name}?gracePeriodSeconds=0`);
const account = (name: string) =>
  place.create(place.core("serviceaccounts"), {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name },
  });

describe("what a pooler's ServiceAccount may do", () => {
  test("its Role comes and goes with it, and a member's of the same account is left alone", async () => {
    for (const name of ["pg", "pool", "shared", "later"]) await account(name);
    const pods = place.core("pods");
    await place.create(pods, injectedPooler("pool-0", "pool"));
    await place.create(pods, member("pg-0", "pg"));
    await untilRoles(ROLE, "patroni-injector.pg.pg");
    await place.create(pods, member("pg-1", "shared"));
    await place.create(pods, injectedPooler("pool-1", "shared"));
    const shared = "patroni-injector-pooler.pg.shared";
    await untilRoles(ROLE, shared, "patroni-injector.pg.pg", "patroni-injector.pg.shared");
    await remove("pool-1");
    await untilRoles(ROLE, "patroni-injector.pg.pg", "patroni-injector.pg.shared");
    await place.create(pods, injectedPooler("pool-1", "shared"));
    await untilRoles(ROLE, shared, "patroni-injector.pg.pg", "patroni-injector.pg.shared");
    await remove("pg-1");
    await untilRoles(ROLE, shared, "patroni-injector.pg.pg");
    await remove("pool-1");
    await untilRoles(ROLE, "patroni-injector.pg.pg");
    const bare = injectedPooler("pool-2", "shared");
    await place.create(pods, { ...bare, spec: { containers: [{ name: "pgbouncer", image: "pgbouncer" }] } });
    await place.create(pods, injectedPooler("pool-3", "later"));
    // What was made for the later one would have been made for the one before, too.
    await untilRoles("patroni-injector-pooler.pg.later", ROLE, "patroni-injector.pg.pg");
  });

  test("with exactly that Role the sidecar hears of another primary, and asks for nothing else", async (t) => {
    const console = await FakeConsole.start(t);
    await writeFile(join(folder, "password"), console.password);
    const { hostname, port } = new URL(controlled.plane.url);
    const environment = {
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      POD_NAME: "pool-0",
      POD_NAMESPACE: NAMESPACE,
      POD_UID: "uid",
      PATRONI_INJECTOR_ROLE: "pooler",
      PATRONI_INJECTOR_CLUSTER: "pg",
      PATRONI_INJECTOR_PRIMARY_SERVICE: "pg-primary",
      PATRONI_INJECTOR_PORT: String(await freePort()),
      PATRONI_INJECTOR_TOKEN_DIR: folder,
      PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `admin@127.0.0.1:${console.port}`,
      PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR: folder,
      PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT: "on",
    };
    await eventually("the slice is there", async () => (await place.read(place.slice)) !== undefined);
    const sidecar = new Program(["sidecar"], environment);
    t.after(() => sidecar.signal("SIGKILL"));
    const metrics = () => textAt(environment.PATRONI_INJECTOR_PORT, "/metrics");
    await until("it watches", async () => /primary_watched 1\n/.test(await metrics().catch(() => "")));
    for (const [index, address] of ["fd00::1", "fd00::2"].entries()) {
      // As long as the pod that is published exists, the controller leaves it there.
      await publish(`pg-${index}`, address);
      if (index === 0) await sidecar.said("the published primary is followed");
    }
    await until("RECONNECT", () => console.said.length > 0);
    const status = new Program(["status"], environment);
    await until("status has ended", () => !status.runs);
    const events = await controlled.plane.auditEvents();
    const asked = events.filter(
      (event) => at(event, "user", "username") === `system:serviceaccount:${NAMESPACE}:pool`,
    );
    const done = new Set(
      asked.map(
        ({ verb, objectRef, responseStatus }) =>
          `${verb} ${at(objectRef, "resource")}/${at(objectRef, "name")} ${at(responseStatus, "code")}`,
      ),
    );
    assert.deepEqual([...done].filter((one) => !one.includes("selfsubjectaccessreviews")).sort(), [
      "get endpointslices/pg-primary 200",
      "watch endpointslices/pg-primary 200",
    ]);
  });

  const CORE = `/api/v1/namespaces/${NAMESPACE}`;
  const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
  const ALLOWED: readonly (readonly [string, string, number])[] = [
    ["GET", `${SLICES}/pg-primary`, 200],
    ["GET", `${SLICES}/pg-headless`, 403],
    ["GET", SLICES, 403],
    ["GET", `${SLICES}?watch=1`, 403],
    ["PUT", `${SLICES}/pg-primary`, 403],
    ["PATCH", `${SLICES}/pg-primary`, 403],
    ["DELETE", `${SLICES}/pg-primary`, 403],
    ["POST", SLICES, 403],
    ["GET", `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/pg-primary`, 403],
    ["GET", `${CORE}/secrets`, 403],
    ["GET", `${CORE}/pods`, 403],
    ["GET", `${CORE}/configmaps/pg-leader`, 403],
    ["GET", `${CORE}/services`, 403],
  ];
  for (const [method, path, code] of ALLOWED) {
    test(`${method} ${path}: ${code}`, async () => {
      const body = method === "GET" || method === "DELETE" ? undefined : {};
      assert.equal((await pooler.request(method, path, body)).status, code);
    });
  }
});

/** As a member's sidecar does. */
async function publish(pod: string, address: string): Promise<void> {
  const { metadata } = (await place.read(`${place.core("pods")}/${pod}`)) ?? (await remade(pod));
  const { uid = "" } = metadata as JsonObject;
  const status = { phase: "Running", podIP: address, podIPs: [{ ip: address }] };
  await place.change(`${place.core("pods")}/${pod}/status`, { status });
  const targetRef = { kind: "Pod", namespace: NAMESPACE, name: pod, uid };
  const endpoints = [{ addresses: [address], conditions: { ready: true }, targetRef }];
  await place.change(place.slice, { endpoints });
}

const remade = (pod: string): Promise<JsonObject> => place.create(place.core("pods"), member(pod, "pg"));

test("the webhook's entry selects poolers, in namespaces that have opted in", async (t) => {
  const { plane } = controlled;
  const injector = await startInjector(plane);
  t.after(() => injector.stop());
  await prepareNamespace(plane.api, "enabled", { "patroni-injector.io/injection": "enabled" });
  await prepareNamespace(plane.api, "audit", { "patroni-injector.io/injection": "audit" });
  await prepareNamespace(plane.api, "without");
  const { metadata, ...rest } = poolerPod();
  const created = async (namespace: string, labels: Record<string, string>) => {
    const pod = { ...rest, metadata: { generateName: "pool-", labels } };
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const { status, body } = await plane.api.request("POST", path, pod);
    assert.equal(status, 201, JSON.stringify(body));
    const containers = [
      ...objectsIn(at(body, "spec", "initContainers")),
      ...objectsIn(at(body, "spec", "containers")),
    ];
    const sidecar = containers.find(({ name }) => name === "patroni-injector");
    const role = objectsIn(sidecar?.env).find(({ name }) => name === "PATRONI_INJECTOR_ROLE")?.value;
    return sidecar === undefined ? "left alone" : String(role ?? "member");
  };
  assert.ok(metadata);
  assert.equal(await created("enabled", LABELS), "pooler");
  assert.equal(
    await created("enabled", { application: "db-connection-pooler", "cluster-name": "pg" }),
    "pooler",
  );
  assert.equal(await created("enabled", { application: "shop", "cluster-name": "pg" }), "left alone");
  assert.equal(
    await created("enabled", { application: "db-connection-pooler" }),
    "left alone",
    "of no cluster",
  );
  assert.equal(await created("audit", LABELS), "left alone");
  assert.equal(await created("without", LABELS), "left alone");
});
