import { KubeConfig } from "@kubernetes/client-node";
import type { Choices } from "../../../src/controller/choices.ts";
import { Controller } from "../../../src/controller/controller.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { KubeConnection } from "../../../src/kube/connection.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { ofKind, RELEASE, rendered } from "../../chart/helm.ts";
import { create } from "../../chart/posting.ts";
import type { ControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { settings } from "../../model/prune/settings.ts";

/** The chart's ServiceAccount. A control plane must know it. */
export const CONTROLLER = {
  name: `system:serviceaccount:${RELEASE.namespace}:patroni-injector`,
  token: "the-controller",
} as const;

const ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles";

/** Gives the ServiceAccount what the chart grants with these values. May be called again with others. */
export async function grantChart(plane: ControlPlane, values: JsonObject): Promise<void> {
  const isThere = await plane.api.request("GET", `/api/v1/namespaces/${RELEASE.namespace}`);
  if (isThere.status === 404) await prepareNamespace(plane.api, RELEASE.namespace);
  const objects = await rendered({ values });
  await plane.api.request("DELETE", `${ROLES}/patroni-injector`);
  for (const kind of [
    "Secret",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
  ]) {
    for (const object of ofKind(objects, kind)) await create(plane.api, object);
  }
}

/** A controller in this process that may do what the ServiceAccount may. */
export function startController(plane: ControlPlane, choices: Choices) {
  const text = kubeconfigFor(plane.url, plane.caPem, { token: CONTROLLER.token });
  const connection = new KubeConnection(() => {
    const config = new KubeConfig();
    config.loadFromString(text);
    return config;
  });
  const refusals: string[] = [];
  const take = (line: string): void => {
    const { error } = JSON.parse(line) as { error?: string };
    if (error !== undefined && /403/.test(error)) refusals.push(error);
  };
  const controller = new Controller(connection, {
    settings,
    openshift: () => false,
    repair: "none",
    choices,
    logger: createLogger({ level: "warn", destination: { write: take } }),
    metrics: createMetrics(),
    identity: "test",
  });
  /** What the API server would not let it do. */
  return { refusals, stop: () => controller.stop() };
}
