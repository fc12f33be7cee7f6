import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toInjectionSettings, withKnowledge } from "../../../src/config/injection-settings.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import type { Surroundings } from "../../../src/injection/settings.ts";

const parse = (text: string) => parseConfig(text, "config.yaml", { clusterDomain: "cluster.local" });

describe("injection settings", () => {
  it("follow from the defaults", () => {
    assert.deepEqual(toInjectionSettings(parse("sidecar: {image: x:1}"), { ownNamespace: "injector" }), {
      selectors: [{ key: "application", values: ["patroni", "spilo"] }],
      poolerSelectors: [{ key: "patroni-injector.io/pooler-of", values: [] }],
      excludedNamespaces: ["kube-system", "injector"],
      onInvalid: "deny",
      clusterDomain: "cluster.local",
      meshes: ["istio", "linkerd"],
      excludeOutboundIPRanges: [],
      sidecar: {
        image: "x:1",
        imagePullPolicy: "IfNotPresent",
        imagePullSecrets: [],
        port: 8011,
        logLevel: "info",
        resources: {
          requests: { cpu: "50m", memory: "32Mi" },
          limits: { memory: "64Mi" },
          requiredCpuLimit: "100m",
        },
      },
    });
  });

  it("have the presets' selectors beside the configured ones", () => {
    const { selectors } = toInjectionSettings(
      parse("selectors: [{key: app, values: [pg]}]\npresets: [stackgres, crunchy]"),
      { ownNamespace: undefined },
    );
    assert.deepEqual(selectors, [
      { key: "app", values: ["pg"] },
      { key: "stackgres.io/cluster", values: ["true"] },
      { key: "postgres-operator.crunchydata.com/data", values: ["postgres"] },
    ]);
  });

  it("name the controller's ServiceAccount where there is a controller, and it is known", () => {
    const own = { ownNamespace: "injector", ownServiceAccount: "injector" };
    const accountOf = (text: string, where: typeof own | { ownNamespace: undefined }) =>
      toInjectionSettings(parse(text), where).controllerAccount;
    assert.equal(accountOf("{}", own), "injector/injector");
    assert.equal(accountOf("controller: {enabled: false}", own), undefined);
    assert.equal(accountOf("{}", { ownNamespace: undefined }), undefined);
  });

  it("name each excluded namespace once", () => {
    const config = parse("excludedNamespaces: [kube-system, monitoring, injector]");
    const { excludedNamespaces } = toInjectionSettings(config, { ownNamespace: "injector" });
    assert.deepEqual(excludedNamespaces, ["kube-system", "injector", "monitoring"]);
  });
});

describe("what the configuration knows better than the cluster", () => {
  let native = false;
  const seen: Surroundings = {
    service: (namespace, name) => ({
      headless: true,
      publishNotReadyAddresses: true,
      selector: { is: `${namespace}/${name}` },
    }),
    get nativeSidecars() {
      return native;
    },
    openshift: true,
    apiServerAddresses: ["10.0.0.1"],
    suspended: (...asked) => asked.join() === "broken,pg-0,image:1",
  };

  it("is nothing by default, and follows the cluster as it changes", () => {
    const surroundings = withKnowledge(parse(""), seen);
    native = false;
    assert.equal(surroundings.nativeSidecars, false);
    native = true;
    assert.equal(surroundings.nativeSidecars, true);
    assert.equal(surroundings.openshift, true);
    assert.deepEqual(surroundings.apiServerAddresses, ["10.0.0.1"]);
    assert.deepEqual(surroundings.service("a", "b")?.selector, { is: "a/b" });
    assert.equal(surroundings.suspended("broken", "pg-0", "image:1"), true);
  });

  it("is what it says", () => {
    const surroundings = withKnowledge(parse("openshift: false\nsidecar: {native: false}"), seen);
    native = true;
    assert.equal(surroundings.nativeSidecars, false);
    assert.equal(surroundings.openshift, false);
  });
});
