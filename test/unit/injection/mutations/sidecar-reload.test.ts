import assert from "node:assert/strict";
import { test } from "node:test";
import { RELOAD_SETTINGS } from "../../../../src/contract/reload-env.ts";
import { asString, type JsonObject, objectsIn } from "../../../../src/json/value.ts";
import { readConsole, readReloadSettings } from "../../../../src/sidecar/reload/settings.ts";
import { decideOn, inject, injected, named, ours, patroniPod, type World } from "../world.ts";

const VOLUMES = [
  { name: "pg-config", configMap: { name: "pg" } },
  { name: "pool", secret: { secretName: "pool" } },
  { name: "sockets", emptyDir: {} },
];
const podWith = (annotations: Record<string, string>, spec: JsonObject = {}): JsonObject =>
  patroniPod({ annotations: ours(annotations), spec: { volumes: VOLUMES, ...spec } });

const mountsOf = (sidecar: JsonObject | undefined) =>
  objectsIn(sidecar?.volumeMounts).filter(({ name }) => name !== "patroni-injector-token");

/** The environment as the kubelet would make it. */
const environmentOf = (sidecar: JsonObject | undefined): Record<string, string> =>
  Object.fromEntries(
    objectsIn(sidecar?.env).flatMap(({ name, value }) =>
      typeof value === "string" ? [[String(name), value.replaceAll("$(POD_IP)", "10.0.0.1")]] : [],
    ),
  );

const ALL = {
  "reload-postgres-volume": "pg-config",
  "reload-postgres-secret": "pg-login",
  "reload-pgbouncer-volume": "pool",
  "reload-pgbouncer-secret": "pool-login",
  "reload-pgbouncer-socket-volume": "sockets",
  "reload-pgbouncer-user": "admin",
  "reload-pgbouncer-reconnect": "on",
  "reload-tls-secret": "pg-tls",
  "reload-allow": "ops/pipeline,db/operator",
  "reload-socket": "on",
  "reload-automatic": "on",
};

test("a pod that does not ask has nothing of it", () => {
  const { sidecar, spec } = inject(
    podWith({
      "reload-tls-secret": "pg-tls",
      "reload-allow": "ops/pipeline",
      "reload-socket": "on",
      "reload-postgres-secret": "s",
    }),
  );
  assert.deepEqual(mountsOf(sidecar), []);
  assert.deepEqual(
    Object.keys(environmentOf(sidecar)).filter((name) => name in RELOAD_SETTINGS),
    [],
  );
  assert.equal(objectsIn(sidecar?.ports).length, 1);
  assert.deepEqual(
    objectsIn(spec.volumes).map(({ name }) => name),
    [...VOLUMES.map(({ name }) => name), "patroni-injector-token"],
  );
});

test("`reload: off` takes all of it away", () => {
  const { sidecar, reasons } = inject(podWith({ ...ALL, reload: "off" }));
  assert.deepEqual(mountsOf(sidecar), []);
  assert.ok(!reasons.includes("reload-volume-missing"));
});

test("both components, all that can be asked for: what the sidecar reads of it", () => {
  const { sidecar, spec } = inject(podWith(ALL));
  assert.deepEqual(readReloadSettings(environmentOf(sidecar)), {
    postgres: {
      version: "/var/lib/patroni-injector/postgres/version",
      connection: {
        user: "postgres",
        host: "10.0.0.1",
        port: 5432,
        database: "postgres",
        secretDir: "/var/lib/patroni-injector/postgres-login",
      },
    },
    pgbouncer: {
      version: "/var/lib/patroni-injector/pgbouncer/version",
      iniPath: "/var/lib/patroni-injector/pgbouncer/pgbouncer.ini",
      console: {
        user: "admin",
        host: "/var/lib/patroni-injector/pgbouncer-socket",
        port: 6432,
        database: "postgres",
        secretDir: "/var/lib/patroni-injector/pgbouncer-login",
      },
      method: "console",
    },
    secure: { port: 8012, tlsDir: "/var/lib/patroni-injector/tls", allowed: ["ops/pipeline", "db/operator"] },
    socket: "/run/patroni-injector/reload.sock",
    automatic: true,
  });
  for (const name of Object.keys(environmentOf(sidecar)))
    assert.ok(!name.startsWith("PATRONI_INJECTOR_RELOAD_") || name in RELOAD_SETTINGS, name);
  const present = objectsIn(spec.volumes).map(({ name }) => name);
  for (const { name, readOnly } of mountsOf(sidecar)) {
    assert.ok(present.includes(name), `${name} is no volume of the pod`);
    assert.equal(readOnly, name === "patroni-injector-run" ? undefined : true, String(name));
  }
  assert.equal(new Set(mountsOf(sidecar).map(({ mountPath }) => mountPath)).size, mountsOf(sidecar).length);
  for (const name of ["postgres-login", "pgbouncer-login", "tls"]) {
    const secret = named(spec.volumes, `patroni-injector-reload-${name}`)?.secret as JsonObject | undefined;
    assert.equal(secret?.optional, true, `a missing ${name} must not hold the pod back`);
  }
  assert.deepEqual(objectsIn(sidecar?.ports)[1], { name: "reload", containerPort: 8012, protocol: "TCP" });
});

const tlsSecretOf = (spec: JsonObject) =>
  (named(spec.volumes, "patroni-injector-reload-tls")?.secret as JsonObject | undefined)?.secretName;

test("a member that names no certificate serves with the one that the controller keeps", () => {
  const { sidecar, spec } = inject(podWith({ "reload-postgres-volume": "pg-config" }));
  assert.equal(tlsSecretOf(spec), "patroni-injector-reload-tls");
  assert.deepEqual(readReloadSettings(environmentOf(sidecar)).secure, {
    port: 8012,
    tlsDir: "/var/lib/patroni-injector/tls",
    allowed: [],
  });
  assert.equal(tlsSecretOf(inject(podWith(ALL)).spec), "pg-tls");
});

test("the controller may look at every pod, and reload where it is named", () => {
  const settings = { controllerAccount: "injector/controller" };
  const allowedBy = (annotations: Record<string, string>) =>
    environmentOf(inject(podWith(annotations), { settings }).sidecar).PATRONI_INJECTOR_RELOAD_ALLOW;
  const asks = { "reload-postgres-volume": "pg-config" };
  assert.equal(allowedBy(asks), "injector/controller:status");
  assert.equal(
    allowedBy({ ...asks, "reload-allow": "ops/pipeline" }),
    "injector/controller:status,ops/pipeline",
  );
  assert.equal(allowedBy({ ...asks, "reload-allow": "injector/controller" }), "injector/controller");
});

test("a second look finds nothing to change", () => {
  const pod = podWith({ ...ALL, "reload-postgres-version": "annotation" });
  const decision = decideOn(injected(pod));
  assert.equal(decision.kind === "inject" && decision.reason, "already-injected");
});

test("the version of an annotation comes through the downward API", () => {
  const { sidecar, spec } = inject(podWith({ "reload-postgres-version": "annotation" }));
  assert.equal(
    environmentOf(sidecar).PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION,
    "/var/lib/patroni-injector/postgres-version/version",
  );
  assert.deepEqual(named(spec.volumes, "patroni-injector-postgres-version")?.downwardAPI, {
    defaultMode: 0o644,
    items: [
      {
        path: "version",
        fieldRef: {
          apiVersion: "v1",
          fieldPath: "metadata.annotations['patroni-injector.io/postgres-config-version']",
        },
      },
    ],
  });
});

test("the version of the DCS needs no volume; names and files as annotations say", () => {
  const dcs = environmentOf(inject(podWith({ "reload-postgres-version": "dcs" })).sidecar);
  assert.equal(dcs.PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION, "dcs");
  const named = environmentOf(
    inject(
      podWith({
        "reload-pgbouncer-volume": "pool",
        "reload-pgbouncer-ini": "etc/my.ini",
        "reload-pgbouncer-version-file": "meta/v",
        "reload-pgbouncer-port": "7432",
        "reload-pgbouncer-method": "signal",
      }),
    ).sidecar,
  );
  assert.equal(named.PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI, "/var/lib/patroni-injector/pgbouncer/etc/my.ini");
  assert.equal(named.PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION, "/var/lib/patroni-injector/pgbouncer/meta/v");
  assert.equal(named.PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE, "pgbouncer@127.0.0.1:7432");
  assert.equal(named.PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD, "signal");
});

for (const [host, read] of Object.entries({ "127.0.0.1": "127.0.0.1", "::1": "::1", pod: "10.0.0.1" }))
  test(`PgBouncer's console on ${host}`, () => {
    const pod = podWith({ "reload-pgbouncer-volume": "pool", "reload-pgbouncer-host": host });
    assert.equal(readConsole(environmentOf(inject(pod).sidecar)).host, read);
  });

test("a volume that the pod does not have is told, and mounted nowhere: the pod would be refused", () => {
  const { sidecar, notes } = inject(podWith({ ...ALL, "reload-pgbouncer-socket-volume": "typo" }));
  assert.deepEqual(
    notes.filter(({ reason }) => reason === "reload-volume-missing").map(({ detail }) => detail),
    ["no volume typo"],
  );
  assert.deepEqual(mountsOf(sidecar), []);
});

test("the port: kept out of the mesh, and given way to whoever has it", () => {
  const istio: World = {};
  const { annotations } = inject(podWith(ALL), istio);
  assert.match(asString(annotations["traffic.sidecar.istio.io/excludeInboundPorts"]) ?? "", /\b8012\b/);
  const taken = inject(
    patroniPod({
      annotations: ours(ALL),
      spec: { volumes: VOLUMES },
      container: { ports: [{ containerPort: 8012 }] },
    }),
  );
  assert.equal(taken.sidecar, undefined);
  assert.ok(taken.reasons.includes("sidecar-port-in-use"));
});
