import type { Json, JsonObject } from "../../../src/json/value.ts";
import { objectsIn } from "../../../src/json/value.ts";

/**
 * What the API server makes of a pod between two calls of a webhook: defaults spelled out (pkg/apis/core/v1
 * zz_generated.defaults.go), quantities written in their canonical form, and the mounts of the ServiceAccount's own
 * token that its admission plugin adds to every container.
 */
export function asTheApiServerHasIt(pod: JsonObject): JsonObject {
  const spec = pod.spec as JsonObject;
  const hostNetwork = spec.hostNetwork === true;
  const container = (each: JsonObject) => defaultedContainer(each, hostNetwork);
  return {
    ...pod,
    spec: {
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      schedulerName: "default-scheduler",
      enableServiceLinks: true,
      serviceAccountName: "default",
      ...spec,
      dnsPolicy: spec.dnsPolicy || "ClusterFirst",
      securityContext: spec.securityContext ?? {},
      containers: objectsIn(spec.containers).map(container),
      ...(spec.initContainers ? { initContainers: objectsIn(spec.initContainers).map(container) } : {}),
      volumes: withNamed(objectsIn(spec.volumes).map(defaultedVolume), TOKEN_VOLUME),
    },
  };
}

const TOKEN_VOLUME: JsonObject = { name: "kube-api-access-x1", projected: { defaultMode: 420, sources: [] } };
const TOKEN_MOUNT: JsonObject = {
  name: "kube-api-access-x1",
  mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
  readOnly: true,
};

const withNamed = (list: JsonObject[], entry: JsonObject): JsonObject[] =>
  list.some(({ name }) => name === entry.name) ? list : [...list, entry];

function defaultedContainer(container: JsonObject, hostNetwork: boolean): JsonObject {
  return {
    imagePullPolicy: "IfNotPresent",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    ...container,
    resources: defaultedResources(container.resources),
    volumeMounts: withNamed(objectsIn(container.volumeMounts), TOKEN_MOUNT),
    ...(container.env ? { env: objectsIn(container.env).map(defaultedEnv) } : {}),
    ...(container.ports
      ? { ports: objectsIn(container.ports).map((port) => defaultedPort(port, hostNetwork)) }
      : {}),
    ...(container.livenessProbe
      ? { livenessProbe: defaultedProbe(container.livenessProbe as JsonObject) }
      : {}),
  };
}

const defaultedPort = (port: JsonObject, hostNetwork: boolean): JsonObject => ({
  protocol: "TCP",
  ...(hostNetwork ? { hostPort: port.containerPort } : {}),
  ...port,
});

function defaultedProbe(probe: JsonObject): JsonObject {
  const http = probe.httpGet as JsonObject | undefined;
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...probe,
    ...(http ? { httpGet: { path: "/", scheme: "HTTP", ...http } } : {}),
  };
}

function defaultedEnv(entry: JsonObject): JsonObject {
  const from = entry.valueFrom as JsonObject | undefined;
  if (!from?.fieldRef) return entry;
  return {
    ...entry,
    valueFrom: { ...from, fieldRef: { apiVersion: "v1", ...(from.fieldRef as JsonObject) } },
  };
}

function defaultedVolume(volume: JsonObject): JsonObject {
  const sources = ["secret", "configMap", "projected", "downwardAPI"].filter((kind) => volume[kind]);
  const filled = sources.map((kind) => [kind, { defaultMode: 420, ...(volume[kind] as JsonObject) }]);
  return { ...volume, ...Object.fromEntries(filled) };
}

function defaultedResources(resources: Json | undefined): JsonObject {
  const { requests, limits, ...others } = (resources ?? {}) as JsonObject;
  const most = canonical(limits);
  const least = { ...most, ...canonical(requests) };
  return {
    ...others,
    ...(limits ? { limits: most } : {}),
    ...(requests || limits ? { requests: least } : {}),
  };
}

/** Canonical forms of the quantities under test (apimachinery resource.Quantity). */
const CANONICAL: Readonly<Record<string, string>> = {
  "0m": "0",
  "0.000": "0",
  "0Mi": "0",
  "0.05": "50m",
  "50000u": "50m",
  "5e-2": "50e-3",
  "1000m": "1",
  "1.0": "1",
  "1E0": "1",
  "65536Ki": "64Mi",
  "0.0625Gi": "64Mi",
  "67108864000m": "67108864",
  "1024Mi": "1Gi",
};

const canonical = (list: Json | undefined): JsonObject =>
  Object.fromEntries(
    Object.entries((list ?? {}) as JsonObject).map(([name, text]) => [name, CANONICAL[String(text)] ?? text]),
  );
