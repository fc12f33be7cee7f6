import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { stringify } from "yaml";
import { excludedNamespacesOf } from "../../../src/config/injection-settings.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { RELOAD_AUDIENCE } from "../../../src/contract/reload.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { secretNames } from "../../../src/serve/kept.ts";
import { desiredWebhookConfiguration } from "../../../src/webhook/registration.ts";
import { lint, ofKind, RELEASE, type Release, rendered, theOnly } from "../../chart/helm.ts";
import { MATRIX, REFUSED } from "../../chart/matrix.ts";
import { installMonitoringKinds } from "../../chart/monitoring-kinds.ts";
import { dryRun, postedFirst } from "../../chart/posting.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";

/** Nothing less is admitted there. */
const RESTRICTED = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/enforce-version": "latest",
};

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane();
  for (const namespace of namespaces()) await prepareNamespace(plane.api, namespace, RESTRICTED);
  const mine = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "mine", namespace: "injector" },
  };
  await plane.api.request("POST", "/api/v1/namespaces/injector/serviceaccounts", mine);
  await installMonitoringKinds(plane.api);
});
after(() => plane?.stop());

function namespaces(): string[] {
  const released = Object.values(MATRIX).map(({ namespace = RELEASE.namespace }) => namespace);
  return [...new Set([...released, "db", "shop"])];
}

const configIn = (objects: readonly JsonObject[], namespace: string) => {
  const text = String(at(theConfigMap(objects), "data", "config.yaml"));
  return { config: parseConfig(text, "config.yaml", { clusterDomain: "cluster.local" }), namespace };
};

const theConfigMap = (objects: readonly JsonObject[]): JsonObject | undefined =>
  ofKind(objects, "ConfigMap").find((map) => at(map, "data", "config.yaml") !== undefined);

for (const [what, release] of Object.entries(MATRIX)) {
  describe(`the chart: ${what}`, () => {
    const { namespace = RELEASE.namespace } = release;
    let objects: JsonObject[];
    before(async () => {
      objects = await rendered(release);
    });

    it("passes helm lint", async () => {
      await lint(release.values ?? {});
    });

    it("is taken by the API server, object by object, without a warning", async () => {
      for (const object of postedFirst(objects)) await dryRun(plane.api, object);
    });

    it("makes pods that are admitted under Pod Security restricted", async () => {
      const template = at(theOnly(objects, "Deployment"), "spec", "template") as JsonObject;
      const metadata = { ...(template.metadata as JsonObject), name: "injector-0", namespace };
      await dryRun(plane.api, { apiVersion: "v1", kind: "Pod", ...template, metadata });
    });

    it("writes the webhook configuration that its own configuration file asks for", () => {
      const { config } = configIn(objects, namespace);
      const facts = { ownNamespace: namespace, caPem: "", port: config.webhook.port };
      const desired = desiredWebhookConfiguration(config, facts);
      const chart = theOnly(objects, "MutatingWebhookConfiguration");
      assert.equal(at(chart, "metadata", "name"), at(desired, "metadata", "name"));
      assert.ok(String(at(chart, "metadata", "name")) < "istio-");
      assert.deepEqual(
        objectsIn(chart.webhooks).map(withoutBundle),
        objectsIn(desired.webhooks).map(withoutBundle),
      );
      assert.ok(excludedNamespacesOf(config, facts).includes(namespace));
    });

    it("serves where its Service and its webhook configuration say", () => {
      const { config } = configIn(objects, namespace);
      const service = theOnly(objects, "Service");
      const deployment = theOnly(objects, "Deployment");
      const [container] = objectsIn(at(deployment, "spec", "template", "spec", "containers"));
      const ports = new Map(
        objectsIn(container?.ports).map(({ name, containerPort }) => [name, containerPort]),
      );
      assert.deepEqual(
        [ports.get("https"), ports.get("metrics")],
        [config.webhook.port, config.operations.port],
      );
      assert.equal(at(service, "metadata", "name"), config.webhook.registration.service.name);
      const labels = Object.entries(at(deployment, "spec", "template", "metadata", "labels") as JsonObject);
      for (const [key, value] of Object.entries(at(service, "spec", "selector") as JsonObject)) {
        assert.ok(
          labels.some(([name, text]) => name === key && text === value),
          `${key}=${value}`,
        );
      }
      const grace = Number(at(deployment, "spec", "template", "spec", "terminationGracePeriodSeconds"));
      assert.ok(grace > config.drainSeconds + config.webhook.timeoutSeconds, `${grace} s of grace`);
    });
  });
}

describe("the certificate's source", () => {
  /** Of all entries, each once. */
  const bundles = (objects: readonly JsonObject[]) => {
    const entries = objectsIn(theOnly(objects, "MutatingWebhookConfiguration").webhooks).map((entry) =>
      Buffer.from(String(at(entry, "clientConfig", "caBundle") ?? ""), "base64").toString(),
    );
    return [...new Set(entries)];
  };
  const mayRead = (objects: readonly JsonObject[]) =>
    ofKind(objects, "Role")
      .flatMap(({ rules }) => objectsIn(rules))
      .filter(({ resources }) => String(resources) === "secrets")
      .map(({ resourceNames, verbs }) => [resourceNames, verbs]);
  const webhookVerbs = (objects: readonly JsonObject[]) =>
    objectsIn(theOnly(objects, "ClusterRole").rules).find(
      ({ resources }) => String(resources) === "mutatingwebhookconfigurations",
    )?.verbs;

  const RELOAD_AUTHORITIES = "patroni-injector-reload-ca";
  const keepsReloads = [[RELOAD_AUTHORITIES], ["get", "update"]];

  it("self: Secrets without data, which it may fill, and no others", async () => {
    const objects = await rendered();
    const secrets = ofKind(objects, "Secret");
    const names = secrets.map(({ metadata }) => at(metadata, "name"));
    assert.deepEqual(names, ["patroni-injector-ca", "patroni-injector-leaf", RELOAD_AUTHORITIES]);
    for (const secret of secrets) assert.deepEqual([secret.data, secret.stringData], [undefined, undefined]);
    assert.deepEqual(mayRead(objects), [[names.slice(0, 2), ["get", "update"]], keepsReloads]);
    assert.deepEqual(webhookVerbs(objects), ["list", "watch", "patch"]);
    assert.deepEqual(bundles(objects), [""]);
    const { webhook } = configIn(objects, RELEASE.namespace).config;
    assert.deepEqual(
      names,
      Object.values(secretNames({ webhook })),
      "the process looks for them under other names",
    );
  });

  it("no Secret can be made, listed or deleted, nor one read that is not named, whatever the values", async () => {
    for (const [what, release] of Object.entries(MATRIX)) {
      const objects = await rendered(release);
      const granted = [...ofKind(objects, "ClusterRole"), ...ofKind(objects, "Role")];
      for (const { resources, resourceNames, verbs } of granted.flatMap(({ rules }) => objectsIn(rules))) {
        if (!JSON.stringify(resources).includes("secrets")) continue;
        assert.ok(Array.isArray(resourceNames) && resourceNames.length > 0, what);
        assert.ok(
          (verbs as string[]).every((verb) => verb === "get" || verb === "update"),
          `${what}: ${JSON.stringify(verbs)}`,
        );
      }
    }
  });

  it("the controller's token for reload APIs is where the process looks for it, and there is none without a controller", async () => {
    const podOf = async (values: JsonObject) =>
      at(theOnly(await rendered({ values }), "Deployment"), "spec", "template", "spec");
    const pod = await podOf({});
    const [container] = objectsIn(at(pod, "containers"));
    const file = String(objectsIn(container?.env).find(({ name }) => name === "RELOAD_TOKEN_FILE")?.value);
    const mount = objectsIn(container?.volumeMounts).find(({ name }) => name === "reload-token");
    const volume = objectsIn(at(pod, "volumes")).find(({ name }) => name === "reload-token");
    const [source] = objectsIn(at(volume, "projected", "sources"));
    assert.equal(file, `${mount?.mountPath}/${at(source, "serviceAccountToken", "path")}`);
    assert.equal(at(source, "serviceAccountToken", "audience"), RELOAD_AUDIENCE);
    const without = await podOf({ config: { controller: { enabled: false } } });
    assert.doesNotMatch(JSON.stringify(without), /reload/i);
  });

  it("cert-manager: its injector is told which Certificate, and nothing is granted", async () => {
    const objects = await rendered({ values: { certificates: { source: "cert-manager" } } });
    const { metadata } = theOnly(objects, "MutatingWebhookConfiguration");
    assert.equal(
      at(metadata, "annotations", "cert-manager.io/inject-ca-from"),
      `${RELEASE.namespace}/patroni-injector`,
    );
    assert.deepEqual(mayRead(objects), [keepsReloads]);
    assert.equal(at(theOnly(objects, "Secret"), "metadata", "name"), RELOAD_AUTHORITIES);
    assert.deepEqual(webhookVerbs(objects), ["list", "watch"]);
    const pod = at(theOnly(objects, "Deployment"), "spec", "template", "spec");
    const volume = objectsIn(at(pod, "volumes")).find(({ name }) => name === "certificate");
    assert.equal(at(volume, "secret", "secretName"), "patroni-injector-tls");
    const [container] = objectsIn(at(pod, "containers"));
    const mount = objectsIn(container?.volumeMounts).find(({ name }) => name === "certificate");
    const { certificates } = configIn(objects, RELEASE.namespace).config.webhook;
    assert.deepEqual([certificates.source, certificates.directory], ["cert-manager", mount?.mountPath]);
  });

  it("provided: the caBundle of the values in every entry", async () => {
    const values = MATRIX["a certificate of one's own"]?.values ?? {};
    const expected = String(at(values, "certificates", "caBundle"));
    assert.deepEqual(bundles(await rendered({ values })), [expected]);
  });

  it("clientCA: the ConfigMap is mounted where the configuration says", async () => {
    const objects = await rendered({ values: { certificates: { clientCA: "api" } } });
    const { clientCA } = configIn(objects, RELEASE.namespace).config.webhook;
    const pod = at(theOnly(objects, "Deployment"), "spec", "template", "spec");
    const mount = objectsIn(objectsIn(at(pod, "containers"))[0]?.volumeMounts).find(
      ({ name }) => name === "client-ca",
    );
    assert.equal(clientCA, `${mount?.mountPath}/ca.crt`);
  });
});

function withoutBundle(entry: JsonObject): JsonObject {
  const { caBundle: _, ...clientConfig } = entry.clientConfig as JsonObject;
  return { ...entry, clientConfig };
}

describe("values.schema.json", () => {
  for (const [what, [values, says]] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(rendered({ values }), (error: Error & { stderr?: string }) => {
        assert.match(error.stderr ?? "", says);
        return true;
      });
    });
  }
});

describe("the pods' checksum", () => {
  const checksum = async (config: JsonObject): Promise<unknown> => {
    const release: Release = { values: { config } };
    const deployment = theOnly(await rendered(release), "Deployment");
    return at(deployment, "spec", "template", "metadata", "annotations", "checksum/bound-config");
  };

  const ROWS: readonly [changed: JsonObject, restarts: boolean][] = [
    [{ logLevel: "debug" }, false],
    [{ excludedNamespaces: ["legacy"] }, false],
    [{ webhook: { failurePolicy: "Fail" } }, false],
    [{ webhook: { port: 9443 } }, true],
    [{ operations: { port: 9090 } }, true],
    [{ controller: { enabled: false } }, true],
  ];
  for (const [changed, restarts] of ROWS) {
    it(`${restarts ? "changes" : "stays"} with ${stringify(changed).trim().replace(/\s+/g, " ")}`, async () =>
      assert.equal((await checksum(changed)) !== (await checksum({})), restarts));
  }
});
