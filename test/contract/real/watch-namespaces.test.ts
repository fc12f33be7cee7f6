import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { Program } from "../../../demo/program.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { ofKind, RELEASE, rendered, theOnly } from "../../chart/helm.ts";
import { create } from "../../chart/posting.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { eventually } from "../suite/eventually.ts";
import { CONTROLLER, grantChart } from "./chart-controller.ts";
import { patroniPod } from "./injector.ts";

const VALUES: JsonObject = {
  config: {
    watchNamespaces: ["db", "shop"],
    controller: { networkPolicies: [{}], rbac: { patroni: true } },
  },
};
const ENABLED = { "patroni-injector.io/injection": "enabled" };
const DCS = [
  { name: "PATRONI_SCOPE", value: "pg" },
  { name: "PATRONI_KUBERNETES_LABELS", value: "{}" },
];

let plane: ControlPlane;
let folder: string;
let program: Program;
let objects: JsonObject[];

/** `serve` as the chart configures it for two namespaces, with what the chart grants for these and nothing more. */
before(async () => {
  plane = await startControlPlane({ audit: "Metadata", users: [CONTROLLER] });
  for (const namespace of ["db", "shop", "other"]) await prepareNamespace(plane.api, namespace, ENABLED);
  await grantChart(plane, VALUES);
  objects = await rendered({ values: VALUES });
  for (const configuration of ofKind(objects, "MutatingWebhookConfiguration")) {
    // Nobody can reach the webhook here: pods are to be made all the same.
    await create(plane.api, configuration);
  }
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-namespaces-"));
  const [config, kubeconfig] = [join(folder, "config.yaml"), join(folder, "kubeconfig")];
  const map = ofKind(objects, "ConfigMap").find(({ data }) => at(data, "config.yaml") !== undefined);
  const own = parse(String(at(map, "data", "config.yaml"))) as JsonObject & { webhook: JsonObject };
  const listen = { host: "127.0.0.1", port: 0 };
  const changed = { ...own, webhook: { ...own.webhook, ...listen }, operations: listen, drainSeconds: 0 };
  await writeFile(config, stringify(changed));
  await writeFile(kubeconfig, kubeconfigFor(plane.url, plane.caPem, { token: CONTROLLER.token }));
  const args = ["serve", "--config", config, "--kubeconfig", kubeconfig];
  program = new Program(args, { POD_NAME: "injector-0", POD_NAMESPACE: RELEASE.namespace });
});
after(async () => {
  await program?.stop();
  await plane?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const isThere = async (path: string): Promise<boolean> =>
  (await plane.api.request("GET", path)).status === 200;

const addPod = (namespace: string) =>
  create(
    plane.api,
    patroniPod(
      "pg-0",
      { name: "pg-0", namespace, labels: { application: "patroni" } },
      { containers: [{ name: "patroni", image: "patroni", env: DCS }] },
    ),
  );

const made = (namespace: string): string[] => [
  `/api/v1/namespaces/${namespace}/services/pg-headless`,
  `/api/v1/namespaces/${namespace}/services/pg-primary`,
  `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices/pg-primary`,
  `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/patroni-injector.pg.default`,
  `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/patroni.pg.default`,
  `/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/patroni-bypass.${namespace}.pg.default`,
  `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/patroni-injector-pg`,
];

describe("serve, in some namespaces only,", () => {
  it("becomes ready with Roles there and a small ClusterRole", async () => {
    const resources = objectsIn(theOnly(objects, "ClusterRole").rules).flatMap((rule) => rule.resources);
    assert.deepEqual(resources, ["mutatingwebhookconfigurations", "nodes", "namespaces"]);
    const { operations } = (await program.said("listening")) as unknown as { operations: { port: number } };
    await eventually("serve is ready", async () => {
      return (await fetch(`http://127.0.0.1:${operations.port}/readyz`)).ok;
    });
    await program.said("controller started");
  });

  for (const namespace of ["db", "shop"]) {
    it(`makes all that a cluster needs in ${namespace}`, async () => {
      await addPod(namespace);
      for (const path of made(namespace)) await eventually(`${path} is there`, () => isThere(path));
    });
  }

  it("takes away what is of no use any more there, and nothing in the other", async () => {
    const { status } = await plane.api.request(
      "DELETE",
      "/api/v1/namespaces/shop/pods/pg-0?gracePeriodSeconds=0",
    );
    assert.equal(status, 200);
    for (const path of made("shop").slice(3))
      await eventually(`${path} is gone`, async () => !(await isThere(path)));
    for (const path of made("db")) assert.ok(await isThere(path), path);
  });

  it("ignores all other namespaces, and its webhook is not called for them", async () => {
    await addPod("other");
    await delay(1500);
    for (const path of made("other")) assert.equal(await isThere(path), false, path);
    for (const { namespaceSelector } of objectsIn(
      theOnly(objects, "MutatingWebhookConfiguration").webhooks,
    )) {
      const [only] = objectsIn(at(namespaceSelector, "matchExpressions")).filter(
        ({ key, operator }) => key === "kubernetes.io/metadata.name" && operator === "In",
      );
      assert.deepEqual(only?.values, ["db", "shop"]);
    }
  });

  it("is never refused anything", async () => {
    const events = (await plane.auditEvents()).filter(({ user }) => at(user, "username") === CONTROLLER.name);
    assert.ok(events.length > 50);
    const refused = events.filter(({ responseStatus }) =>
      [401, 403].includes(Number(at(responseStatus, "code"))),
    );
    assert.deepEqual(
      refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
      [],
    );
    const wide = events.filter(
      ({ objectRef }) => at(objectRef, "namespace") === undefined && at(objectRef, "resource") === "pods",
    );
    assert.deepEqual(wide, [], "it does not even ask for the pods of all namespaces");
  });
});
