import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SIDECAR_SETTINGS } from "../../../src/contract/sidecar-env.ts";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { readConsole, readReloadSettings } from "../../../src/sidecar/reload/settings.ts";
import { readPoolerSettings, readRole } from "../../../src/sidecar/settings.ts";
import { poolerPod } from "./pooler-pod.ts";
import { decideOn, inject, named, ours, patroniPod, type World } from "./world.ts";

const LABEL = "patroni-injector.io/pooler-of";
const ZALANDO: World = {
  settings: { poolerSelectors: [{ key: "application", values: ["db-connection-pooler"] }] },
};
const zalando = (labels: JsonObject, annotations: Record<string, string> = {}): JsonObject =>
  poolerPod({
    labels: { application: "db-connection-pooler", [LABEL]: "", ...labels },
    annotations: ours(annotations),
  });

/** The environment as the kubelet would make it. */
const environmentOf = (sidecar: JsonObject | undefined): Record<string, string> => ({
  ...Object.fromEntries(
    objectsIn(sidecar?.env).map(({ name, value }) => [String(name), typeof value === "string" ? value : "x"]),
  ),
  POD_IP: "10.0.0.1",
});

/** How the sidecar of a pooler with these annotations reads what it is told. */
function told(annotations: Record<string, string>, spec: JsonObject = {}) {
  const { sidecar, ...decision } = inject(poolerPod({ annotations: ours(annotations), spec }));
  const environment = environmentOf(sidecar);
  return { ...decision, sidecar, environment, settings: readPoolerSettings(environment) };
}

describe("which pods are poolers, and of which cluster", () => {
  const scopeOf = (pod: JsonObject, world: World = {}) =>
    environmentOf(inject(pod, world).sidecar).PATRONI_INJECTOR_CLUSTER;

  const SCOPES: readonly (readonly [string, JsonObject, World, string])[] = [
    ["the label's value", poolerPod(), {}, "pg"],
    ["the annotation before the label", poolerPod({ annotations: ours({ cluster: "Other" }) }), {}, "Other"],
    ["an operator's label", zalando({ "cluster-name": "acid-x" }), ZALANDO, "acid-x"],
    ["the annotation, on an operator's pod", zalando({}, { cluster: "hippo-ha" }), ZALANDO, "hippo-ha"],
  ];
  for (const [what, pod, world, scope] of SCOPES)
    test(`${what}: ${scope}`, () => assert.equal(scopeOf(pod, world), scope));

  const REASONS: readonly (readonly [string, JsonObject, World, string])[] = [
    [
      "an operator's pooler, by default",
      poolerPod({ metadata: { labels: { application: "db-connection-pooler" } } }),
      {},
      "not-selected",
    ],
    ["no pooler selectors", poolerPod(), { settings: { poolerSelectors: [] } }, "not-selected"],
    ["nothing says which cluster", zalando({ version: "1.25" }), ZALANDO, "no-scope"],
    ["opted out", poolerPod({ annotations: ours({ inject: "false" }) }), {}, "opted-out"],
    ["a malformed annotation", poolerPod({ annotations: ours({ mesh: "no" }) }), {}, "invalid-annotation"],
    ["an excluded namespace", poolerPod(), { subject: { namespace: "kube-system" } }, "namespace-excluded"],
    ["a Job's, while sidecars are containers", poolerPod(), { native: false, subject: { job: true } }, "job"],
  ];
  for (const [what, pod, world, reason] of REASONS)
    test(`${what}: ${reason}`, () => assert.equal(decideOn(pod, world).reason, reason));

  test("a pod that is selected as both is Patroni's", () => {
    const { applied, sidecar, labels } = inject(patroniPod({ labels: { [LABEL]: "other" } }));
    assert.ok(applied.includes("pod-dns"));
    assert.equal(readRole(environmentOf(sidecar)), "member");
    assert.equal(labels["patroni-injector.io/cluster"], "pg");
    assert.equal(decideOn(poolerPod({ labels: { application: "patroni" } })).reason, "no-patroni-container");
  });
});

describe("what becomes of a pooler", () => {
  test("nothing but the sidecar and the mesh's annotations are added, and no label of the cluster's", () => {
    const before = poolerPod();
    const { pod, applied, labels, annotations, spec, reasons } = inject(before);
    assert.deepEqual(applied, ["mesh", "sidecar"]);
    assert.deepEqual(reasons, []);
    assert.deepEqual(labels, (before.metadata as JsonObject).labels);
    assert.deepEqual(Object.keys(annotations).sort(), [
      "config.linkerd.io/skip-inbound-ports",
      "patroni-injector.io/status",
      "traffic.sidecar.istio.io/excludeInboundPorts",
      "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    ]);
    assert.deepEqual(spec.containers, (before.spec as JsonObject).containers);
    assert.deepEqual(Object.keys(spec).sort(), ["containers", "initContainers", "volumes"]);
    assert.equal(decideOn(pod).reason, "already-injected");
  });

  test("the mesh leaves the sidecar's port alone, and the way to the API server; what databases need it does not", () => {
    const world: World = { settings: { excludeOutboundIPRanges: ["172.16.0.0/12"] } };
    const { annotations } = inject(poolerPod(), world);
    assert.equal(annotations["traffic.sidecar.istio.io/excludeInboundPorts"], "8011");
    assert.equal(annotations["traffic.sidecar.istio.io/excludeOutboundIPRanges"], "10.96.0.1/32");
    assert.equal(inject(poolerPod({ annotations: ours({ mesh: "off" }) })).applied.includes("mesh"), false);
  });

  test("the sidecar is told of PgBouncer, and of nothing that Patroni has", () => {
    const { environment, settings } = told({
      "patroni-scheme": "https",
      "patroni-auth-secret": "auth",
      discovery: "off",
      "reload-postgres-version": "dcs",
      "reload-postgres-volume": "nowhere",
    });
    assert.equal(readRole(environment), "pooler");
    const names = Object.keys(environment).filter((name) => name in SIDECAR_SETTINGS);
    assert.deepEqual(names.sort(), [
      "PATRONI_INJECTOR_CLUSTER",
      "PATRONI_INJECTOR_LOG_LEVEL",
      "PATRONI_INJECTOR_PORT",
      "PATRONI_INJECTOR_PRIMARY_SERVICE",
      "PATRONI_INJECTOR_ROLE",
      "PATRONI_INJECTOR_TOKEN_DIR",
    ]);
    assert.equal(settings.primaryService, "pg-primary");
    assert.equal(settings.reconnect, true);
    assert.equal(settings.reload, false);
    assert.deepEqual(readConsole(environment), {
      ...{ host: "127.0.0.1", port: 6432, user: "pgbouncer", secretDir: undefined },
      ...{ database: "postgres" },
    });
  });

  test("the console: port, user, Secret and the folder of a socket", () => {
    const volumes = [{ name: "sockets", emptyDir: {} }];
    const { environment, sidecar } = told(
      {
        "reload-pgbouncer-port": "5432",
        "reload-pgbouncer-user": "admin",
        "reload-pgbouncer-secret": "login",
        "reload-pgbouncer-socket-volume": "sockets",
      },
      { volumes },
    );
    const { host, port, user, secretDir } = readConsole(environment);
    const mountOf = (path: string | undefined) =>
      objectsIn(sidecar?.volumeMounts).find(({ mountPath }) => mountPath === path);
    assert.deepEqual([port, user], [5432, "admin"]);
    assert.equal(mountOf(host)?.name, "sockets");
    assert.equal(mountOf(secretDir)?.readOnly, true);
  });

  test("with a volume of its configuration it is reloaded too", () => {
    const volumes = [{ name: "config", configMap: { name: "c" } }];
    const { environment, settings } = told({ "reload-pgbouncer-volume": "config" }, { volumes });
    assert.equal(settings.reload, true);
    const { pgbouncer, postgres } = readReloadSettings(environment);
    assert.equal(pgbouncer?.iniPath, "/var/lib/patroni-injector/pgbouncer/pgbouncer.ini");
    assert.equal(postgres, undefined);
  });

  test("a volume that is not there is told of, and holds nothing back", () => {
    const { reasons, settings, sidecar } = told({ "reload-pgbouncer-socket-volume": "nowhere" });
    assert.deepEqual(reasons, ["reload-volume-missing"]);
    assert.equal(settings.reconnect, false);
    assert.equal(objectsIn(sidecar?.volumeMounts).length, 1);
  });

  const IDLE: readonly (readonly [Record<string, string>, boolean])[] = [
    [{ "reload-pgbouncer-reconnect": "off" }, false],
    [{ "reload-pgbouncer-reconnect": "off", "reload-pgbouncer-volume": "config" }, true],
    [{ "reload-pgbouncer-reconnect": "off", "reload-pgbouncer-volume": "config", reload: "off" }, false],
    [{ reload: "off" }, true],
    [{ discovery: "off" }, true],
  ];
  for (const [annotations, hasSidecar] of IDLE) {
    const what = Object.entries(annotations).map((entry) => entry.join(": "));
    test(`${what.join(", ")}: ${hasSidecar ? "a sidecar" : "there is nothing for a sidecar to do"}`, () => {
      const spec = { volumes: [{ name: "config", configMap: { name: "c" } }] };
      assert.equal(
        inject(poolerPod({ annotations: ours(annotations), spec })).sidecar !== undefined,
        hasSidecar,
      );
    });
  }

  test("without a sidecar while sidecars are suspended, and where its port is taken", () => {
    const suspended = inject(poolerPod(), { suspended: true });
    assert.deepEqual([suspended.reasons, suspended.sidecar], [["sidecar-suspended"], undefined]);
    const taken = inject(poolerPod({ container: { ports: [{ containerPort: 8011 }] } }));
    assert.deepEqual([taken.reasons, taken.sidecar], [["sidecar-port-in-use"], undefined]);
  });

  test("PgBouncer on PostgreSQL's own port is no rival of the sidecar", () => {
    const pod = poolerPod({ container: { ports: [{ containerPort: 5432 }] } });
    assert.notEqual(inject(pod).sidecar, undefined);
  });

  test("a plain container on clusters without native sidecars, with its heap held to its limit", () => {
    const resources = { requests: { memory: "64Mi" }, limits: { memory: "128Mi" } };
    const { spec } = inject(poolerPod({ container: { resources } }), { native: false });
    const sidecar = named(spec.containers, "patroni-injector");
    assert.equal(sidecar?.restartPolicy, undefined);
    assert.match(environmentOf(sidecar).NODE_OPTIONS ?? "", /--max-old-space-size=21/);
  });
});

test("a member with a PgBouncer beside it may have it reconnect without any volume", () => {
  const { sidecar } = inject(patroniPod({ annotations: ours({ "reload-pgbouncer-reconnect": "on" }) }));
  const environment = environmentOf(sidecar);
  assert.equal(environment.PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT, "on");
  assert.equal(readConsole(environment).port, 6432);
  const without = inject(
    patroniPod({ annotations: ours({ "reload-pgbouncer-reconnect": "on", reload: "off" }) }),
  );
  assert.equal(environmentOf(without.sidecar).PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT, undefined);
});
