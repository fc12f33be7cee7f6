import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NO_CHOICES } from "../../../src/controller/choices.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { type ApiClient, createApiClient } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { eventually } from "../suite/eventually.ts";
import { CONTROLLER, grantChart, startController } from "./chart-controller.ts";

const CORE = "/api/v1/namespaces";
const MERGE = { "content-type": "application/merge-patch+json" };
/** Each with its own ServiceAccount, and how its Patroni keeps its lock. */
const CLUSTERS = { maps: "PATRONI_KUBERNETES_LABELS", ends: "PATRONI_KUBERNETES_USE_ENDPOINTS" } as const;

let plane: ControlPlane;
const patroni = new Map<string, ApiClient>();

before(async () => {
  const users = Object.keys(CLUSTERS).map((name) => ({
    name: `system:serviceaccount:db:${name}`,
    token: name,
  }));
  plane = await startControlPlane({ users: [CONTROLLER, ...users] });
  for (const { token } of users) patroni.set(token, createApiClient(plane.url, plane.caPem, { token }));
  await prepareNamespace(plane.api, "db", { "patroni-injector.io/injection": "enabled" });
  await grant(false);
  for (const [scope, variable] of Object.entries(CLUSTERS)) {
    const env = [
      { name: "PATRONI_SCOPE", value: scope },
      { name: variable, value: "true" },
    ];
    await post(`${CORE}/db/serviceaccounts`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: scope },
    });
    await post(`${CORE}/db/pods`, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `${scope}-0`, labels: { application: "patroni", "cluster-name": scope } },
      spec: { serviceAccountName: scope, containers: [{ name: "patroni", image: "patroni", env }] },
    });
  }
});
after(async () => {
  for (const client of patroni.values()) client.close();
  await plane?.stop();
});

async function post(path: string, object: JsonObject): Promise<void> {
  const { status, body } = await plane.api.request("POST", path, object);
  assert.equal(status, 201, JSON.stringify(body));
}

const grant = (patroni: boolean): Promise<void> =>
  grantChart(plane, { config: { controller: { rbac: { patroni } } } });

/** What is asked, and with what. */
type Call = readonly [method: string, path: string, body?: JsonObject];

/** How the API server answers Patroni; of a watch, before its first event. */
async function answerTo(scope: string, [method, path, body]: Call): Promise<number> {
  const client = patroni.get(scope);
  assert.ok(client);
  if (!path.includes("watch=1")) {
    return (await client.request(method, path, body, method === "PATCH" ? MERGE : {})).status;
  }
  const stream = await client.stream(path);
  stream.destroy();
  return stream.statusCode ?? 0;
}

const SERVICE: Call = ["POST", `${CORE}/db/services`, { apiVersion: "v1", kind: "Service" }];

/** The API server of the test makes no such object: not to find it is to be allowed to look. */
const ABSENT = `${CORE}/default/endpoints/kubernetes`;

const isThere = async (path: string): Promise<boolean> =>
  (await plane.api.request("GET", path)).status === 200;
const roleOf = (scope: string) =>
  `/apis/rbac.authorization.k8s.io/v1/namespaces/db/rolebindings/patroni.${scope}.${scope}`;

describe("what Patroni is granted by choice", () => {
  let controller: ReturnType<typeof startController>;
  after(() => controller.stop());

  it("is refused to a controller that does not hold it itself", async () => {
    controller = startController(plane, { ...NO_CHOICES, rbac: { patroni: true } });
    await eventually("it was refused", async () =>
      controller.refusals.some((text) =>
        /attempting to grant RBAC permissions not currently held/.test(text),
      ),
    );
    assert.equal(await isThere(roleOf("maps")), false);
  });

  it("is made once the chart says so", async () => {
    await grant(true);
    for (const scope of Object.keys(CLUSTERS)) {
      await eventually(`${scope} has its permissions`, () => isThere(roleOf(scope)));
    }
    const bypass =
      "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/patroni-bypass.db.maps.maps";
    await eventually("and sight of the API server", () => isThere(bypass));
  });

  for (const [scope, resource, leader] of [
    ["maps", "configmaps", "maps-leader"],
    ["ends", "endpoints", "ends"],
  ] as const) {
    const other = resource === "configmaps" ? "endpoints" : "configmaps";
    const kind = resource === "configmaps" ? "ConfigMap" : "Endpoints";
    const labels = { "cluster-name": scope };
    const object = (name: string): JsonObject => ({ apiVersion: "v1", kind, metadata: { name, labels } });
    const selector = `labelSelector=cluster-name%3D${scope}`;
    const note = { metadata: { annotations: { leader: `${scope}-0` } } };
    const names = [leader, ...["config", "failover", "sync"].map((suffix) => `${scope}-${suffix}`)];

    const ALLOWED: readonly Call[] = [
      ["GET", `${CORE}/db/pods?${selector}`],
      ["GET", `${CORE}/db/pods?${selector}&watch=1`],
      ["PATCH", `${CORE}/db/pods/${scope}-0`, note],
      ["GET", `${CORE}/db/${resource}?${selector}`],
      ["GET", `${CORE}/db/${resource}?${selector}&watch=1`],
      ...names.map((name): Call => ["POST", `${CORE}/db/${resource}`, object(name)]),
      ...names.map((name): Call => ["PATCH", `${CORE}/db/${resource}/${name}`, note]),
      ["GET", `${CORE}/db/${resource}/${leader}`],
      ["GET", ABSENT],
    ];
    for (const call of ALLOWED) {
      const [method, path, body] = call;
      it(`with ${resource} as its store it may ${method} ${path} ${JSON.stringify(body?.metadata ?? "")}`, async () => {
        const status = await answerTo(scope, call);
        assert.ok(path === ABSENT ? status === 404 : status < 300, String(status));
      });
    }
    if (resource === "endpoints") {
      it("with endpoints as its store it may make the Service of its configuration", async () => {
        const metadata = { name: `${scope}-config`, labels };
        const service = { apiVersion: "v1", kind: "Service", metadata, spec: { clusterIP: "None" } };
        assert.equal(
          (await patroni.get(scope)?.request("POST", `${CORE}/db/services`, service))?.status,
          201,
        );
      });
    }

    const REFUSED: readonly Call[] = [
      ["DELETE", `${CORE}/db/${resource}/${leader}`],
      ["DELETE", `${CORE}/db/${resource}?${selector}`],
      ["PATCH", `${CORE}/db/${resource}/another`, note],
      ["PUT", `${CORE}/db/${resource}/${leader}`, object(leader)],
      ["GET", `${CORE}/db/${other}`],
      ["DELETE", `${CORE}/db/pods/${scope}-0`],
      ["GET", `${CORE}/db/secrets`],
      ["GET", `${CORE}/default/endpoints`],
      ["GET", `${CORE}/default/pods`],
      ["GET", "/api/v1/pods"],
      ["PATCH", `/apis/rbac.authorization.k8s.io/v1/namespaces/db/roles/patroni.${scope}.${scope}`, note],
      ...(resource === "configmaps" ? [SERVICE] : []),
    ];
    for (const call of REFUSED) {
      const [method, path] = call;
      it(`with ${resource} as its store it may not ${method} ${path}`, async () =>
        assert.equal(await answerTo(scope, call), 403));
    }
  }

  it("goes with the cluster, in both namespaces", async () => {
    assert.equal(
      (await plane.api.request("DELETE", `${CORE}/db/pods/maps-0?gracePeriodSeconds=0`)).status,
      200,
    );
    await eventually("its permissions are gone", async () => !(await isThere(roleOf("maps"))));
    const bypass = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/patroni-bypass.db.maps.maps";
    await eventually("and the sight of the API server", async () => !(await isThere(bypass)));
    assert.ok(await isThere(roleOf("ends")));
  });
});
