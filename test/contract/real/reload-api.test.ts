import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Program } from "../../../demo/program.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { type Authority, newAuthority } from "../../cluster/authority.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { freePort, until } from "../../component/sidecar/world.ts";
import { MountedVolume } from "../../services/rig/volume.ts";

const NAMESPACE = "db";
const POD = "pg-0.pg-headless.db.svc";
const CORE = `/api/v1/namespaces/${NAMESPACE}`;

let plane: ControlPlane;
let folder: string;
let authority: Authority;
let sidecar: Program;
let port: number;

/** The token that the API server makes for a ServiceAccount, as `kubectl create token` does. */
async function tokenOf(account: string, audience = "patroni-injector"): Promise<string> {
  const { status, body } = await plane.api.request("POST", `${CORE}/serviceaccounts/${account}/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { audiences: [audience], expirationSeconds: 600 },
  });
  assert.equal(status, 201, JSON.stringify(body));
  return String(at(body as JsonObject, "status", "token"));
}

function call(path: string, token?: string, body?: object): Promise<{ status: number; body: JsonObject }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: body === undefined ? "GET" : "POST",
        ca: authority.certPem,
        servername: POD,
        agent: false,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    sent.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

before(async () => {
  plane = await startControlPlane();
  folder = await mkdtemp(join(tmpdir(), "reload-api-"));
  await prepareNamespace(plane.api, NAMESPACE);
  for (const name of ["pg", "pipeline", "stranger"]) {
    const { status } = await plane.api.request("POST", `${CORE}/serviceaccounts`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name },
    });
    assert.equal(status, 201);
  }
  await writeFile(join(folder, "ca.crt"), plane.caPem);
  const { body } = await plane.api.request("POST", `${CORE}/serviceaccounts/pg/token`, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: {},
  });
  await writeFile(join(folder, "token"), String(at(body as JsonObject, "status", "token")));
  await writeFile(join(folder, "version"), "7\n");
  await writeFile(join(folder, "pgbouncer.ini"), "[pgbouncer]\nmax_client_conn = 5\n");
  authority = await newAuthority("test");
  await mkdir(join(folder, "tls"));
  port = await freePort();
  const { hostname, port: apiPort } = new URL(plane.url);
  sidecar = new Program(["sidecar"], {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: apiPort,
    POD_NAME: "pg-0",
    POD_NAMESPACE: NAMESPACE,
    POD_UID: "uid",
    POD_IP: "127.0.0.1",
    PATRONI_INJECTOR_CLUSTER: "pg",
    PATRONI_INJECTOR_PRIMARY_SERVICE: "pg-primary",
    PATRONI_INJECTOR_PORT: String(await freePort()),
    PATRONI_INJECTOR_POSTGRES_PORT: "5432",
    PATRONI_INJECTOR_PATRONI_PORT: String(await freePort()),
    PATRONI_INJECTOR_TOKEN_DIR: folder,
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION: join(folder, "version"),
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI: join(folder, "pgbouncer.ini"),
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `admin@127.0.0.1:${await freePort()}`,
    PATRONI_INJECTOR_RELOAD_PORT: String(port),
    PATRONI_INJECTOR_RELOAD_TLS_DIR: join(folder, "tls"),
    PATRONI_INJECTOR_RELOAD_ALLOW: `${NAMESPACE}/pipeline`,
  });
  await sidecar.said("sidecar started");
});
after(async () => {
  await sidecar?.stop();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("without a certificate the sidecar runs, and the listener is closed", async () => {
  await assert.rejects(call("/v1/status"), { code: "ECONNREFUSED" });
  assert.ok(sidecar.runs);
});

test("tokens that the API server made: the allow-list decides, and their audience", async () => {
  const certificate = await authority.issueServer([POD]);
  await MountedVolume.make(join(folder, "tls"), {
    "tls.crt": certificate.certPem,
    "tls.key": certificate.keyPem,
  });
  await until(
    "the listener",
    () =>
      call("/v1/status").then(
        () => true,
        () => false,
      ),
    15_000,
  );
  assert.equal((await call("/v1/status")).status, 401);
  assert.equal((await call("/v1/status", await tokenOf("stranger"))).status, 403);
  assert.equal((await call("/v1/status", await tokenOf("pipeline", "another"))).status, 401);
  const { status, body } = await call("/v1/status", await tokenOf("pipeline"));
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(at(body, "pgbouncer", "materialisedVersion"), 7);
});

test("a reload of whom may call, to a PgBouncer that is not there", async () => {
  const { status, body } = await call("/v1/pgbouncer/reload", await tokenOf("pipeline"), { version: 7 });
  assert.equal(status, 502, JSON.stringify(body));
  assert.equal(body.type, "https://patroni-injector.io/problems/reload-rejected");
});

test("a token that was changed on its way is none", async () => {
  const [head = "", , signature = ""] = (await tokenOf("pipeline")).split(".");
  const claims = {
    iss: "https://kubernetes.default.svc",
    sub: `system:serviceaccount:${NAMESPACE}:pipeline`,
  };
  const forged = Buffer.from(JSON.stringify({ ...claims, aud: "patroni-injector", exp: 4e9 })).toString(
    "base64url",
  );
  assert.equal((await call("/v1/status", `${head}.${forged}.${signature}`)).status, 401);
});
