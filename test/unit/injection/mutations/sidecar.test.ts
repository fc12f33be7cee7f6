import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SIDECAR_SETTINGS } from "../../../../src/contract/sidecar-env.ts";
import { decide } from "../../../../src/injection/decide.ts";
import { type Json, type JsonObject, objectsIn } from "../../../../src/json/value.ts";
import {
  type Difference,
  inject,
  injected,
  settingsOf as injectionSettings,
  named,
  ours,
  patroniPod,
  spiloPod,
  surroundingsOf,
  type World,
} from "../world.ts";

const NAME = "patroni-injector";

const sidecarOf = (difference: Difference = {}, world: World = {}): JsonObject =>
  inject(patroniPod(difference), world).sidecar ?? assert.fail("no sidecar");
const settingsOf = (sidecar: JsonObject): Record<string, Json | undefined> =>
  Object.fromEntries(
    (sidecar.env as JsonObject[])
      .filter(({ value }) => value !== undefined)
      .map(({ name, value }) => [name, value]),
  );
const names = (list: unknown): unknown[] => ((list ?? []) as JsonObject[]).map(({ name }) => name);

test("the container, whole", () => {
  const fieldRef = (name: string, fieldPath: string) => ({
    name,
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
  });
  assert.deepEqual(sidecarOf({ container: { resources: { requests: { memory: "1Gi" } } } }), {
    name: NAME,
    image: "registry.example/patroni-injector:1.0",
    imagePullPolicy: "IfNotPresent",
    args: ["sidecar"],
    env: [
      fieldRef("POD_NAME", "metadata.name"),
      fieldRef("POD_NAMESPACE", "metadata.namespace"),
      fieldRef("POD_UID", "metadata.uid"),
      fieldRef("POD_IP", "status.podIP"),
      fieldRef("POD_IPS", "status.podIPs"),
      fieldRef("NODE_NAME", "spec.nodeName"),
      { name: "PATRONI_INJECTOR_CLUSTER", value: "pg" },
      { name: "PATRONI_INJECTOR_PRIMARY_SERVICE", value: "pg-primary" },
      { name: "PATRONI_INJECTOR_PORT", value: "8011" },
      { name: "PATRONI_INJECTOR_POSTGRES_PORT", value: "5432" },
      { name: "PATRONI_INJECTOR_PATRONI_PORT", value: "8008" },
      { name: "PATRONI_INJECTOR_TOKEN_DIR", value: "/var/run/secrets/patroni-injector.io/serviceaccount" },
      { name: "PATRONI_INJECTOR_LOG_LEVEL", value: "info" },
      { name: "NODE_OPTIONS", value: "--max-old-space-size=21 --max-semi-space-size=2" },
    ],
    ports: [{ name: "injector", containerPort: 8011, protocol: "TCP" }],
    livenessProbe: {
      httpGet: { path: "/healthz", port: 8011, scheme: "HTTP" },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      successThreshold: 1,
      failureThreshold: 6,
    },
    resources: { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "64Mi" } },
    restartPolicy: "Always",
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      {
        name: "patroni-injector-token",
        mountPath: "/var/run/secrets/patroni-injector.io/serviceaccount",
        readOnly: true,
      },
    ],
  });
});

test("its own token, whose optional parts never hold the pod back", () => {
  const { spec } = inject(patroniPod({ spec: { volumes: [{ name: "pgdata", emptyDir: {} }] } }));
  assert.deepEqual(spec.volumes, [
    { name: "pgdata", emptyDir: {} },
    {
      name: "patroni-injector-token",
      projected: {
        defaultMode: 0o644,
        sources: [
          { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
          {
            configMap: {
              name: "kube-root-ca.crt",
              items: [{ key: "ca.crt", path: "ca.crt" }],
              optional: true,
            },
          },
          {
            downwardAPI: {
              items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
            },
          },
        ],
      },
    },
  ]);
});

describe("settings by annotation and configuration", () => {
  const rows: readonly [
    name: string,
    annotations: Record<string, string>,
    expected: Record<string, string>,
  ][] = [
    ["cluster", { cluster: "My.pg" }, { PATRONI_INJECTOR_CLUSTER: "My.pg" }],
    ["primary Service", { "primary-service": "rw" }, { PATRONI_INJECTOR_PRIMARY_SERVICE: "rw" }],
    ["PostgreSQL's port", { "postgres-port": "5433" }, { PATRONI_INJECTOR_POSTGRES_PORT: "5433" }],
    ["Patroni's port", { "patroni-port": "8009" }, { PATRONI_INJECTOR_PATRONI_PORT: "8009" }],
    ["discovery off", { discovery: "off" }, { PATRONI_INJECTOR_DISCOVERY: "off" }],
    ["reload off", { reload: "off" }, { PATRONI_INJECTOR_RELOAD: "off" }],
    ["log level", { "sidecar-log-level": "debug" }, { PATRONI_INJECTOR_LOG_LEVEL: "debug" }],
    ["CA", { "patroni-ca-secret": "ca" }, { PATRONI_INJECTOR_CA_DIR: "/etc/patroni-injector/ca" }],
    [
      "client certificate",
      { "patroni-client-secret": "c" },
      { PATRONI_INJECTOR_CLIENT_DIR: "/etc/patroni-injector/client" },
    ],
    [
      "credentials",
      { "patroni-auth-secret": "a" },
      { PATRONI_INJECTOR_AUTH_DIR: "/etc/patroni-injector/auth" },
    ],
  ];
  for (const [name, annotations, expected] of rows) {
    test(name, () => {
      const settings = settingsOf(sidecarOf({ annotations: ours(annotations) }));
      for (const [variable, value] of Object.entries(expected)) assert.equal(settings[variable], value);
      for (const variable of Object.keys(settings)) assert.ok(variable in SIDECAR_SETTINGS, variable);
    });
  }

  test("image, pull policy, port and log level of the configuration", () => {
    const sidecar = sidecarOf(
      {},
      {
        settings: {
          sidecar: { image: "mirror/x@sha256:0", imagePullPolicy: "Always", port: 9999, logLevel: "warn" },
        },
      },
    );
    assert.equal(sidecar.image, "mirror/x@sha256:0");
    assert.equal(sidecar.imagePullPolicy, "Always");
    assert.equal((sidecar.ports as JsonObject[])[0]?.containerPort, 9999);
    assert.equal(((sidecar.livenessProbe as JsonObject).httpGet as JsonObject).port, 9999);
    assert.equal(settingsOf(sidecar).PATRONI_INJECTOR_PORT, "9999");
    assert.equal(settingsOf(sidecar).PATRONI_INJECTOR_LOG_LEVEL, "warn");
  });

  test("Secrets that annotations name are mounted read-only, and optional", () => {
    const { spec, sidecar } = inject(
      patroniPod({ annotations: ours({ "patroni-ca-secret": "my.ca", "patroni-auth-secret": "login" }) }),
    );
    assert.deepEqual(named(spec.volumes, "patroni-injector-ca"), {
      name: "patroni-injector-ca",
      secret: { secretName: "my.ca", defaultMode: 0o644, optional: true },
    });
    assert.deepEqual(named(spec.volumes, "patroni-injector-auth")?.secret, {
      secretName: "login",
      defaultMode: 0o644,
      optional: true,
    });
    assert.equal(named(spec.volumes, "patroni-injector-client"), undefined);
    assert.deepEqual(((sidecar as JsonObject).volumeMounts as JsonObject[]).slice(1), [
      { name: "patroni-injector-ca", mountPath: "/etc/patroni-injector/ca", readOnly: true },
      { name: "patroni-injector-auth", mountPath: "/etc/patroni-injector/auth", readOnly: true },
    ]);
  });

  test("pull secrets are added once, after the pod's own", () => {
    const settings = { sidecar: { imagePullSecrets: ["mine", "theirs"] } };
    const spec = { imagePullSecrets: [{ name: "own" }, { name: "theirs" }] };
    assert.deepEqual(names(inject(patroniPod({ spec }), { settings }).spec.imagePullSecrets), [
      "own",
      "theirs",
      "mine",
    ]);
    assert.equal(inject(patroniPod(), {}).spec.imagePullSecrets, undefined);
  });
});

describe("the name in the certificate of a REST API over TLS", () => {
  const https = ours({ "patroni-scheme": "https" });
  const ADDRESS = "PATRONI_RESTAPI_CONNECT_ADDRESS";
  const rows: readonly [name: string, pod: JsonObject, expected: string | undefined][] = [
    ["plain HTTP", patroniPod(), undefined],
    ["our own address", patroniPod({ annotations: https }), "$(POD_NAME).pg-headless.db.svc.cluster.local"],
    ["Spilo", spiloPod({ annotations: https }), "$(POD_NAME).pg-headless.db.svc.cluster.local"],
    [
      "the user's address",
      patroniPod({ annotations: https, env: [{ name: ADDRESS, value: "pg.example:8008" }] }),
      "pg.example",
    ],
    [
      "by a variable of the same field",
      patroniPod({ annotations: https, env: [{ name: ADDRESS, value: "$(PATRONI_NAME).pods:8008" }] }),
      "$(POD_NAME).pods",
    ],
    [
      "by a variable that the sidecar has not",
      patroniPod({ annotations: https, env: [{ name: ADDRESS, value: "$(MINE).pods:8008" }] }),
      undefined,
    ],
    [
      "from a Secret",
      patroniPod({ annotations: https, env: [{ name: ADDRESS, valueFrom: { secretKeyRef: {} } }] }),
      undefined,
    ],
    [
      "absurdly long",
      patroniPod({ annotations: https, env: [{ name: ADDRESS, value: "$(".repeat(500_000) }] }),
      undefined,
    ],
  ];
  for (const [name, pod, expected] of rows) {
    test(name, () => {
      const settings = settingsOf(inject(pod).sidecar as JsonObject);
      assert.equal(settings.PATRONI_INJECTOR_PATRONI_NAME, expected);
      assert.equal(settings.PATRONI_INJECTOR_PATRONI_SCHEME, name === "plain HTTP" ? undefined : "https");
    });
  }
});

describe("its place", () => {
  const init = { name: "istio-init" };
  const place = (pod: JsonObject, native: boolean) => {
    const { spec } = inject(pod, { native });
    return [names(spec.containers), names(spec.initContainers)];
  };
  const stale = { name: NAME, image: "old" };

  const rows: readonly [
    name: string,
    pod: JsonObject,
    native: boolean,
    containers: string[],
    initContainers: string[],
  ][] = [
    [
      "native: last of the init containers",
      patroniPod({ spec: { initContainers: [init] } }),
      true,
      ["db"],
      ["istio-init", NAME],
    ],
    ["native: the only init container", patroniPod(), true, ["db"], [NAME]],
    [
      "container: last of the containers",
      patroniPod({ containers: [{ name: "exporter" }] }),
      false,
      ["db", "exporter", NAME],
      [],
    ],
    [
      "a container stays one, also where native would do",
      patroniPod({ containers: [stale, { name: "exporter" }] }),
      true,
      ["db", NAME, "exporter"],
      [],
    ],
    [
      "a native one stays in its place",
      patroniPod({ spec: { initContainers: [stale, init] } }),
      true,
      ["db"],
      [NAME, "istio-init"],
    ],
    [
      "a native one moves where it would block the start",
      patroniPod({ spec: { initContainers: [stale, init] } }),
      false,
      ["db", NAME],
      ["istio-init"],
    ],
    [
      "the only init container moves",
      patroniPod({ spec: { initContainers: [stale] } }),
      false,
      ["db", NAME],
      [],
    ],
  ];
  for (const [name, pod, native, containers, initContainers] of rows) {
    test(name, () => {
      assert.deepEqual(place(pod, native), [containers, initContainers]);
      const { sidecar } = inject(pod, { native });
      assert.equal(sidecar?.restartPolicy, initContainers.includes(NAME) ? "Always" : undefined);
      assert.equal(sidecar?.image, "registry.example/patroni-injector:1.0");
    });
  }
});

describe("no sidecar", () => {
  const rows: readonly [name: string, difference: Difference, world: World, detail: string | undefined][] = [
    ["both of its parts are off", { annotations: ours({ discovery: "off", reload: "off" }) }, {}, undefined],
    ["suspended", {}, { suspended: true }, ""],
    [
      "its port is in use",
      { containers: [{ name: "x", ports: [{ containerPort: 8011 }] }] },
      {},
      "x uses 8011",
    ],
    [
      "in use by Patroni's container",
      { container: { ports: [{ containerPort: 8011 }] } },
      {},
      "db uses 8011",
    ],
    [
      "in use by an init container",
      { spec: { initContainers: [{ name: "i", ports: [{ containerPort: 8011 }] }] } },
      {},
      "i uses 8011",
    ],
    [
      "in use by Patroni, undeclared",
      { env: [{ name: "PATRONI_RESTAPI_LISTEN", value: "0.0.0.0:8011" }] },
      {},
      "db uses 8011",
    ],
    [
      "in use by PostgreSQL, undeclared",
      { annotations: ours({ "postgres-port": "8011" }) },
      {},
      "db uses 8011",
    ],
    [
      "another port is in use",
      { container: { ports: [{ containerPort: 9000 }] } },
      { settings: { sidecar: { port: 9000 } } },
      "db uses 9000",
    ],
  ];
  for (const [name, difference, world, detail] of rows) {
    test(name, () => {
      const { sidecar, applied, notes, spec } = inject(patroniPod(difference), world);
      assert.equal(sidecar, undefined);
      assert.ok(!applied.includes("sidecar"));
      assert.equal(spec.volumes, undefined);
      const reason = world.suspended ? "sidecar-suspended" : "sidecar-port-in-use";
      assert.deepEqual(notes, detail === undefined ? [] : [{ reason, detail }]);
    });
  }

  test("suspended: one that is there already goes, in either form, and all else stays", () => {
    for (const native of [true, false]) {
      const pod = patroniPod({ containers: [{ name: "exporter" }] });
      const before = inject(pod, { native });
      const containers = objectsIn(before.spec.containers);
      const first = { ...before.pod, spec: { ...before.spec, containers: containers.toReversed() } };
      const after = inject(first, { native, suspended: true });
      assert.equal(after.sidecar, undefined);
      assert.deepEqual(names(after.spec.containers), ["exporter", "db"]);
      assert.deepEqual(after.env, before.env, "the member announces what it did");
      assert.ok(!after.applied.includes("sidecar"));
    }
  });

  test("suspended is asked of the pod and the image", () => {
    const asked: unknown[] = [];
    const world = { settings: { sidecar: { image: "sidecar:2" } } };
    const suspended = (...all: unknown[]) => asked.push(all) < 0;
    const surroundings = { ...surroundingsOf(world), suspended };
    const subject = { pod: patroniPod(), namespace: "db", origin: "request" as const, job: false };
    decide(subject, injectionSettings(world), surroundings);
    assert.deepEqual(asked, [["db", "pg-0", "sidecar:2"]]);
  });

  test("one part off is not enough", () => assert.ok(sidecarOf({ annotations: ours({ discovery: "off" }) })));
});

describe("resources, by the pod's QoS class", () => {
  const LIMITED = { limits: { cpu: "1", memory: "1Gi" } };
  const burstable = { requests: { memory: "1Gi" } };
  const both = (resources: JsonObject) => ({ requests: resources, limits: resources });
  const rows: readonly [name: string, difference: Difference, expected: JsonObject, world?: World][] = [
    ["BestEffort: none", {}, {}],
    [
      "BestEffort: none, whatever the annotations ask",
      { annotations: ours({ "sidecar-cpu-limit": "1" }) },
      {},
    ],
    [
      "Burstable: no CPU limit",
      { container: { resources: burstable } },
      { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "64Mi" } },
    ],
    [
      "Burstable, all others with a CPU limit: one too",
      { container: { resources: { requests: { cpu: "1" }, limits: { cpu: "2" } } } },
      { requests: { cpu: "50m", memory: "32Mi" }, limits: { cpu: "200m", memory: "64Mi" } },
    ],
    [
      "Burstable, one other without a CPU limit",
      {
        container: { resources: { requests: { cpu: "1" }, limits: { cpu: "2" } } },
        containers: [{ name: "x" }],
      },
      { requests: { cpu: "50m", memory: "32Mi" }, limits: { memory: "64Mi" } },
    ],
    [
      "Guaranteed: requests equal limits",
      { container: { resources: LIMITED } },
      both({ cpu: "200m", memory: "64Mi" }),
    ],
    [
      "Guaranteed, sized by annotations",
      {
        container: { resources: LIMITED },
        annotations: ours({ "sidecar-cpu-limit": "1", "sidecar-memory-limit": "1Gi" }),
      },
      both({ cpu: "1", memory: "1Gi" }),
    ],
    [
      "Burstable, sized by annotations",
      {
        container: { resources: burstable },
        annotations: ours({
          "sidecar-cpu-request": "10m",
          "sidecar-cpu-limit": "1",
          "sidecar-memory-request": "16Mi",
          "sidecar-memory-limit": "1Gi",
        }),
      },
      { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "1", memory: "1Gi" } },
    ],
    [
      "a request above its limit becomes the limit",
      {
        container: { resources: burstable },
        annotations: ours({ "sidecar-cpu-limit": "20m", "sidecar-memory-request": "1Gi" }),
      },
      { requests: { cpu: "20m", memory: "64Mi" }, limits: { cpu: "20m", memory: "64Mi" } },
    ],
    [
      "a request equal to its limit, written differently, stays",
      { container: { resources: burstable }, annotations: ours({ "sidecar-memory-request": "65536Ki" }) },
      { requests: { cpu: "50m", memory: "65536Ki" }, limits: { memory: "64Mi" } },
    ],
    [
      "the configuration's own",
      { container: { resources: burstable } },
      { requests: { cpu: "1m" }, limits: { cpu: "2m" } },
      {
        settings: {
          sidecar: { resources: { requests: { cpu: "1m" }, limits: { cpu: "2m" }, requiredCpuLimit: "9m" } },
        },
      },
    ],
  ];
  for (const [name, difference, expected, world] of rows) {
    test(name, () => {
      assert.deepEqual(sidecarOf(difference, world).resources, expected);
      const pod = patroniPod(difference);
      assert.equal(inject(injected(pod, world), world).reason, "already-injected");
    });
  }

  test("a pod with resources of its own shares them", () => {
    const { sidecar, reasons } = inject(
      patroniPod({ spec: { resources: { limits: { cpu: "1", memory: "1Gi" } } } }),
    );
    assert.deepEqual(sidecar?.resources, {});
    assert.deepEqual(reasons, ["pod-level-resources"]);
  });
});

describe("the user to run as", () => {
  const rows: readonly [name: string, context: Json, openshift: boolean, expected: number | undefined][] = [
    ["the image's own", null, false, undefined],
    ["the image's own, beside other settings", { fsGroup: 103 }, false, undefined],
    ["spelled out where the pod names another", { runAsUser: 0 }, false, 65532],
    ["spelled out where the pod names any", { runAsUser: 101 }, false, 65532],
    ["a user of null is none", { runAsUser: null }, false, undefined],
    ["never on OpenShift", { runAsUser: 0 }, true, undefined],
  ];
  for (const [name, securityContext, openshift, expected] of rows) {
    test(name, () => {
      const context = sidecarOf({ spec: { securityContext } }, { openshift }).securityContext as JsonObject;
      assert.equal(context.runAsUser, expected);
      assert.equal(context.runAsNonRoot, true);
    });
  }
});

test("on the host network its port is the host's", () => {
  const { sidecar } = inject(patroniPod({ spec: { hostNetwork: true } }));
  assert.deepEqual(sidecar?.ports, [
    { name: "injector", containerPort: 8011, hostPort: 8011, protocol: "TCP" },
  ]);
});

describe("one that is there already is brought up to date", () => {
  const native = (pod: JsonObject): JsonObject =>
    named((pod.spec as JsonObject).initContainers, NAME) as JsonObject;
  const withSidecar = (sidecar: JsonObject): JsonObject =>
    patroniPod({ spec: { initContainers: [sidecar] } });
  const planned = native(injected(patroniPod()));

  test("what other webhooks added to it stays", () => {
    const extra = { name: "HTTP_PROXY", value: "http://proxy" };
    const mount = {
      name: "kube-api-access",
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
      readOnly: true,
    };
    const changed = {
      ...planned,
      env: [extra, ...(planned.env as JsonObject[])],
      volumeMounts: [...(planned.volumeMounts as JsonObject[]), mount],
      resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }],
    };
    const after = native(injected(withSidecar(changed)));
    assert.deepEqual(after, { ...changed, env: [...(planned.env as JsonObject[]), extra] });
  });

  test("the user and the label that OpenShift assigns stay, there only", () => {
    const assigned = { runAsUser: 1000650000, runAsGroup: 0, seLinuxOptions: { level: "s0:c26,c5" } };
    const context = planned.securityContext as JsonObject;
    const changed = withSidecar({
      ...planned,
      securityContext: { ...context, ...assigned, privileged: true },
    });
    assert.deepEqual(native(injected(changed, { openshift: true })).securityContext, {
      ...context,
      ...assigned,
    });
    assert.deepEqual(native(injected(changed)).securityContext, context);
  });

  test("quantities as the API server writes them stay", () => {
    const annotations = ours({ "sidecar-cpu-limit": "0.1", "sidecar-memory-limit": "65536Ki" });
    const pod = patroniPod({ annotations, container: { resources: { requests: { cpu: "1" } } } });
    const stored = injected(pod);
    const spec = stored.spec as JsonObject;
    const resources = { requests: { cpu: "50m", memory: "32Mi" }, limits: { cpu: "100m", memory: "64Mi" } };
    const canonical = { ...stored, spec: { ...spec, initContainers: [{ ...native(stored), resources }] } };
    assert.notDeepEqual(native(stored).resources, resources);
    assert.equal(inject(canonical).reason, "already-injected");
  });

  test("what is ours is repaired", () => {
    const broken = {
      ...planned,
      image: "evil",
      env: [{ name: "PATRONI_INJECTOR_CLUSTER", value: "other" }],
      volumeMounts: [],
      securityContext: { runAsNonRoot: false },
      restartPolicy: "Never",
      resources: { limits: { cpu: "1m" } },
    };
    assert.deepEqual(native(injected(withSidecar(broken))), planned);
  });

  test("our volume is repaired in its place", () => {
    const volumes = [
      { name: "patroni-injector-token", emptyDir: {} },
      { name: "pgdata", emptyDir: {} },
    ];
    const { spec } = inject(patroniPod({ spec: { volumes } }));
    assert.deepEqual(names(spec.volumes), ["patroni-injector-token", "pgdata"]);
    assert.ok(named(spec.volumes, "patroni-injector-token")?.projected);
  });
});
