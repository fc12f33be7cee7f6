import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Program } from "../../../demo/program.ts";
import { access } from "../../../src/controller/desired/access.ts";
import { asString, at, type JsonObject } from "../../../src/json/value.ts";
import { publishedAddresses } from "../../../src/primary/slice.ts";
import { type ApiClient, createApiClient } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { PRIMARY, REPLICA, ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { said, until } from "../../component/sidecar/world.ts";
import { settingsOf, viewOf } from "../../unit/controller/views.ts";

const NAMESPACE = "db";
const TOKEN = "sidecar-token";
const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
/** No loopback address may stand in an EndpointSlice. */
const ADDRESS = "10.1.2.3";

let plane: ControlPlane;
let sidecarUser: ApiClient;
let folder: string;
let member: ScriptedMember;
let environment: Record<string, string>;

before(async () => {
  plane = await startControlPlane({
    audit: "Metadata",
    users: [{ name: `system:serviceaccount:${NAMESPACE}:pg`, token: TOKEN }],
  });
  sidecarUser = createApiClient(plane.url, plane.caPem, { token: TOKEN });
  folder = await mkdtemp(join(tmpdir(), "least-privilege-"));
  await writeFile(join(folder, "token"), TOKEN);
  await writeFile(join(folder, "ca.crt"), plane.caPem);
  await prepareNamespace(plane.api, NAMESPACE);
  for (const name of ["pg-primary", "other-primary"]) await create(SLICES, slice(name));
  for (const name of ["pg-leader", "other"]) {
    const metadata = { name, annotations: { leader: "pg-0", ttl: "30" } };
    await create(`${CORE}/configmaps`, { apiVersion: "v1", kind: "ConfigMap", metadata });
  }
  await create(`${CORE}/secrets`, { apiVersion: "v1", kind: "Secret", metadata: { name: "pg" } });
  const settings = settingsOf({ leaderObject: "configmaps/pg-leader" });
  const view = viewOf({ namespace: NAMESPACE, members: [], settings, templates: [template(settings)] });
  const objects = access(view);
  assert.deepEqual(
    objects.map(({ resource }) => resource),
    ["roles", "rolebindings"],
  );
  for (const { resource, object } of objects) {
    await create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/${resource}`, object);
  }
  member = await new ScriptedMember("pg-0", "127.25.0.1").start();
  const { hostname, port } = new URL(plane.url);
  environment = {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    POD_NAME: "pg-0",
    POD_NAMESPACE: NAMESPACE,
    POD_UID: "7f0c2f4e-0000-4000-8000-000000000001",
    POD_IP: member.host,
    POD_IPS: `${ADDRESS},${member.host}`,
    PATRONI_INJECTOR_CLUSTER: "pg",
    PATRONI_INJECTOR_PRIMARY_SERVICE: "pg-primary",
    PATRONI_INJECTOR_PORT: String(await freePort()),
    PATRONI_INJECTOR_POSTGRES_PORT: String(member.ports.postgres),
    PATRONI_INJECTOR_PATRONI_PORT: String(member.ports.rest),
    PATRONI_INJECTOR_LEADER_OBJECT: "configmaps/pg-leader",
    PATRONI_INJECTOR_TOKEN_DIR: folder,
  };
});

after(async () => {
  await member?.stop();
  sidecarUser?.close();
  await plane?.stop();
  await rm(folder, { recursive: true });
});

const template = (settings: ReturnType<typeof settingsOf>) => ({ settings }) as never;

const slice = (name: string): JsonObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  endpoints: [],
  ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
});

async function create(path: string, object: JsonObject): Promise<void> {
  const { status, body } = await plane.api.request("POST", path, object);
  assert.equal(status, 201, JSON.stringify(body));
}

const current = async (): Promise<JsonObject> =>
  (await plane.api.request("GET", `${SLICES}/pg-primary`)).body as JsonObject;
const published = async (): Promise<string> => publishedAddresses(await current()).join();

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

test("with the controller's Role the sidecar publishes, adopts, withdraws, and rests without a write", async (t) => {
  let sidecar = new Program(["sidecar"], environment);
  t.after(() => sidecar.signal("SIGKILL"));
  member.answer = PRIMARY;
  await until("it is published", async () => (await published()) === ADDRESS);
  await sidecar.said("published");
  const version = async () => asString(at(await current(), "metadata", "resourceVersion"));
  const before = await version();
  await delay(1500);
  assert.equal(await version(), before, "nothing is written while nothing changes");

  sidecar.signal("SIGKILL");
  sidecar = new Program(["sidecar"], environment);
  await sidecar.said("published already");
  await delay(500);
  assert.equal(await version(), before, "a restarted sidecar adopts what the API server made of its entry");

  member.answer = REPLICA;
  await until("it is withdrawn", async () => (await published()) === "");
  member.answer = PRIMARY;
  await until("it is published again", async () => (await published()) === ADDRESS);
  assert.equal(
    said(sidecar).some((line) => /permission/.test(line)),
    false,
    said(sidecar).join("; "),
  );
  const owner = JSON.stringify(at(await current(), "metadata", "managedFields"));
  assert.match(owner, /"manager":"patroni-injector-sidecar","operation":"Update"/);

  const status = await new Promise<{ code: number; text: string }>((resolve) => {
    execFile(
      process.execPath,
      [MAIN, "status"],
      { env: { PATH: process.env.PATH ?? "", ...environment } },
      (error, out, err) =>
        resolve({ code: typeof error?.code === "number" ? error.code : 0, text: out + err }),
    );
  });
  assert.equal(status.code, 0, status.text);
  assert.match(
    status.text,
    /^Permissions +get endpointslices db\/pg-primary; watch endpointslices db\/pg-primary; update endpointslices db\/pg-primary; get configmaps db\/pg-leader; watch configmaps db\/pg-leader$/m,
  );

  const requests = (await plane.auditEvents()).filter(
    (event) => at(event, "user", "username") === `system:serviceaccount:${NAMESPACE}:pg`,
  );
  const done = new Set(
    requests.map(
      (event) => `${event.verb} ${at(event, "objectRef", "resource")}/${at(event, "objectRef", "name")}`,
    ),
  );
  assert.deepEqual([...done].filter((one) => !one.startsWith("create selfsubjectaccessreviews")).sort(), [
    "get endpointslices/pg-primary",
    "update endpointslices/pg-primary",
    "watch configmaps/pg-leader",
    "watch endpointslices/pg-primary",
  ]);
});

const REFUSED: readonly (readonly [string, string, JsonObject?])[] = [
  ["GET", `${SLICES}/other-primary`],
  ["PUT", `${SLICES}/other-primary`, slice("other-primary")],
  ["PATCH", `${SLICES}/pg-primary`, {}],
  ["DELETE", `${SLICES}/pg-primary`],
  ["DELETE", SLICES],
  ["POST", SLICES, slice("new")],
  ["GET", SLICES],
  ["GET", `${SLICES}?watch=1`],
  ["GET", `${SLICES}?watch=1&fieldSelector=metadata.name%3Dother-primary`],
  ["GET", "/apis/discovery.k8s.io/v1/endpointslices"],
  ["GET", `${CORE}/configmaps/other`],
  ["GET", `${CORE}/configmaps`],
  ["PUT", `${CORE}/configmaps/pg-leader`, { metadata: { name: "pg-leader" } }],
  ["DELETE", `${CORE}/configmaps/pg-leader`],
  ["GET", `${CORE}/secrets/pg`],
  ["GET", `${CORE}/secrets`],
  ["GET", `${CORE}/pods`],
  ["GET", `${CORE}/services`],
  ["GET", `${CORE}/endpoints`],
  ["GET", "/api/v1/nodes"],
];
for (const [method, path, body] of REFUSED) {
  test(`${method} ${path} is refused`, async () => {
    assert.equal((await sidecarUser.request(method, path, body)).status, 403);
  });
}

test("without its Role the sidecar says what is missing", async (t) => {
  const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}/roles`;
  assert.equal((await plane.api.request("DELETE", roles)).status, 200);
  const sidecar = new Program(["sidecar"], environment);
  t.after(() => sidecar.signal("SIGKILL"));
  for (const what of [
    "get endpointslices db/pg-primary",
    "watch endpointslices db/pg-primary",
    "watch configmaps db/pg-leader",
  ]) {
    await until(`it says that it may not ${what}`, () =>
      said(sidecar).some((line) =>
        line.startsWith(`permission missing: this pod's ServiceAccount may not ${what} (`),
      ),
    );
  }
});
