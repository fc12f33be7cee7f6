import { asObject, type Json, type JsonObject, objectsIn } from "../../../src/json/value.ts";

/**
 * Every place of a pod that an injection may write to. What the user set anywhere else must be the same afterwards; for
 * each of these places there is a rule of its own.
 */
export const WRITTEN = {
  label: "patroni-injector.io/cluster",
  status: "patroni-injector.io/status",
  /** Lists in which every entry of the user's stays. */
  mergedAnnotations: [
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "config.linkerd.io/skip-inbound-ports",
    "config.linkerd.io/skip-outbound-ports",
  ],
  /** A list from which only our ports go. */
  thinnedAnnotation: "traffic.sidecar.istio.io/includeInboundPorts",
  /** Of the pod's spec. */
  names: ["hostname", "subdomain"],
  container: "patroni-injector",
  volumes:
    /^patroni-injector-(token|ca|client|auth|run|postgres-version|pgbouncer-version|reload-(tls|postgres-login|pgbouncer-login))$/,
  pullSecrets: ["pull-secret"],
  podNameVariable: "PATRONI_INJECTOR_POD_NAME",
  addressVariables: ["PATRONI_POSTGRESQL_CONNECT_ADDRESS", "PATRONI_RESTAPI_CONNECT_ADDRESS"],
  /** Their texts are merged with. */
  configurationVariables: ["SPILO_CONFIGURATION", "PATRONI_CONFIGURATION"],
  /** Only with `spilo-token: fix`. */
  group: "fsGroup",
} as const;

/** Lists and maps that come into being where something is put into them. */
const MAY_APPEAR = ["labels", "annotations", "initContainers", "volumes", "imagePullSecrets", "env"];

/** The pod without all that an injection may write. `patroni` is the name of the container whose environment it writes. */
export function withoutOurs(pod: JsonObject, patroni: string, keepsGroup: boolean): JsonObject {
  const metadata = asObject(pod.metadata) ?? {};
  const spec = asObject(pod.spec) ?? {};
  const annotations: readonly string[] = [
    WRITTEN.status,
    WRITTEN.thinnedAnnotation,
    ...WRITTEN.mergedAnnotations,
  ];
  const containers = (list: Json | undefined) =>
    objectsIn(list)
      .filter(({ name }) => name !== WRITTEN.container)
      .map((container) => (container.name === patroni ? withoutOurEnv(container) : container));
  return {
    ...pod,
    metadata: plain({
      ...metadata,
      labels: without(metadata.labels, [WRITTEN.label]),
      annotations: without(metadata.annotations, annotations),
    }),
    spec: plain({
      ...(without(spec, WRITTEN.names) as JsonObject),
      containers: containers(spec.containers),
      initContainers: containers(spec.initContainers),
      volumes: objectsIn(spec.volumes).filter(({ name }) => !WRITTEN.volumes.test(String(name))),
      imagePullSecrets: objectsIn(spec.imagePullSecrets).filter(
        ({ name }) => !WRITTEN.pullSecrets.some((ours) => ours === name),
      ),
      securityContext:
        (keepsGroup ? spec.securityContext : without(spec.securityContext, [WRITTEN.group])) ?? null,
    }),
  };
}

function withoutOurEnv(container: JsonObject): JsonObject {
  const touched: readonly unknown[] = [
    WRITTEN.podNameVariable,
    ...WRITTEN.addressVariables,
    ...WRITTEN.configurationVariables,
  ];
  return plain({ ...container, env: objectsIn(container.env).filter(({ name }) => !touched.includes(name)) });
}

function without(map: Json | undefined, keys: readonly string[]): JsonObject | undefined {
  const object = asObject(map);
  return object && Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** An empty list or map and an absent one are the same where both may come from an injection. */
function plain(object: JsonObject): JsonObject {
  const isEmpty = (value: unknown) =>
    value === undefined ||
    value === null ||
    (Array.isArray(value) ? value.length === 0 : value === "" || isEmptyMap(value));
  return Object.fromEntries(
    Object.entries(object).filter(([key, value]) => !(MAY_APPEAR.includes(key) && isEmpty(value))),
  );
}

const isEmptyMap = (value: unknown): boolean =>
  typeof value === "object" && Object.keys(value as object).length === 0;
