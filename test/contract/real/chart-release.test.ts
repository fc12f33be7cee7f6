import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { FIELD_MANAGER } from "../../../src/contract/names.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { RELEASE, released, uninstalled } from "../../chart/helm.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";

const CONFIGURATION =
  "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/00-patroni-injector";
const BUNDLE = Buffer.from("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").toString("base64");

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane();
  await prepareNamespace(plane.api, RELEASE.namespace);
});
after(() => plane?.stop());

async function entries(): Promise<JsonObject[]> {
  const { status, body } = await plane.api.request("GET", CONFIGURATION);
  assert.equal(status, 200);
  return objectsIn(at(body, "webhooks"));
}

/** As `serve` writes it. */
async function writeBundles(): Promise<void> {
  const operations = (await entries()).map((_, index) => ({
    op: "add",
    path: `/webhooks/${index}/clientConfig/caBundle`,
    value: BUNDLE,
  }));
  const { status, body } = await plane.api.request(
    "PATCH",
    `${CONFIGURATION}?fieldManager=${FIELD_MANAGER}`,
    operations,
    { "content-type": "application/json-patch+json" },
  );
  assert.equal(status, 200, JSON.stringify(body));
}

describe("a release of the chart", () => {
  it("is installed, and says what to do next", async () => {
    const notes = await released("install", plane.kubeconfig.path, {});
    assert.match(notes, /kubectl label namespace <namespace> patroni-injector\.io\/injection=audit/);
    assert.equal((await entries()).length, 4);
  });

  it("keeps what the injector wrote, when it is upgraded to more selectors and to others", async () => {
    await writeBundles();
    const values = { config: { presets: ["stackgres"], webhook: { timeoutSeconds: 7 } } };
    await released("upgrade", plane.kubeconfig.path, values);
    const after = await entries();
    assert.deepEqual(
      after.map(({ name, timeoutSeconds }) => [name, timeoutSeconds]),
      ["0.mutate", "0.audit", "1.mutate", "1.audit", "poolers-0.mutate", "poolers-0.audit"].map((name) => [
        `${name}.patroni-injector.io`,
        7,
      ]),
    );
    const bundles = after.map(({ clientConfig }) => at(clientConfig, "caBundle"));
    assert.deepEqual(bundles, [BUNDLE, BUNDLE, undefined, undefined, BUNDLE, BUNDLE]);
  });

  it("drops entries that are no longer configured, although the injector wrote into them", async () => {
    await writeBundles();
    await released("upgrade", plane.kubeconfig.path, {});
    assert.deepEqual(
      (await entries()).map(({ name }) => name),
      ["0.mutate", "0.audit", "poolers-0.mutate", "poolers-0.audit"].map(
        (name) => `${name}.patroni-injector.io`,
      ),
    );
  });

  it("takes everything of its own away with it", async () => {
    await uninstalled(plane.kubeconfig.path);
    const kinds = [
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
      "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
      `/api/v1/namespaces/${RELEASE.namespace}/services`,
      `/api/v1/namespaces/${RELEASE.namespace}/configmaps`,
      `/apis/apps/v1/namespaces/${RELEASE.namespace}/deployments`,
      `/apis/policy/v1/namespaces/${RELEASE.namespace}/poddisruptionbudgets`,
    ];
    for (const path of kinds) {
      const { body } = await plane.api.request("GET", path);
      const left = objectsIn(at(body, "items")).filter(
        ({ metadata }) => at(metadata, "labels", "app.kubernetes.io/managed-by") === "Helm",
      );
      assert.deepEqual(left, [], path);
    }
  });
});
