import { createHash } from "node:crypto";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { Kubectl, until } from "./kubectl.ts";
import { CHART, helm, RELEASE, rolledOut, valuesFor } from "./release.ts";
import type { Target } from "./target.ts";

const { name, namespace } = RELEASE;
const PLACE = ["--namespace", namespace];

/**
 * `helm upgrade` to these values and nothing of what was set before, with a restart of the pods where the values are others, so that
 * none goes on with the former ones. Waits until the former pods are gone.
 */
export async function upgrade(
  target: Target,
  values: JsonObject = {},
  flags: readonly string[] = [],
): Promise<void> {
  const digest = createHash("sha256").update(JSON.stringify(values)).digest("hex").slice(0, 16);
  const podAnnotations = { "e2e/values": digest };
  await helm(target, ["upgrade", name, CHART, ...PLACE, ...flags], {
    ...valuesFor(target),
    podAnnotations,
    ...values,
  });
  await replaced(target);
}

export async function rollBack(target: Target): Promise<void> {
  await helm(target, ["rollback", name, ...PLACE]);
  await replaced(target);
}

/** Removes the release, and waits until its pods are gone. */
export async function uninstall(target: Target): Promise<void> {
  await helm(target, ["uninstall", name, ...PLACE, "--wait"]);
  const gone = ["wait", "pods", "--all", `--namespace=${namespace}`, "--for=delete", "--timeout=90s"];
  await new Kubectl(target.access).run(gone);
}

/** Replaces the pods of the release, one by one. */
export async function restart(target: Target): Promise<void> {
  await new Kubectl(target.access).run([
    "rollout",
    "restart",
    `deployment/${name}`,
    `--namespace=${namespace}`,
  ]);
  await replaced(target);
}

/** Waits until the new pods are ready and the former ones are gone, which go on answering until they are drained. */
async function replaced(target: Target): Promise<void> {
  await rolledOut(target);
  await until("the former pods are gone", 90_000, async () => {
    const pods = await new Kubectl(target.access).json(["get", "pods", `--namespace=${namespace}`]);
    const leaving = objectsIn(pods.items).some(
      (pod) => at(pod, "metadata", "deletionTimestamp") !== undefined,
    );
    return leaving ? undefined : true;
  });
}

/** Waits until there are so many replicas, all of them ready. */
export async function scale(target: Target, replicas: number): Promise<void> {
  const kubectl = new Kubectl(target.access);
  await kubectl.run(["scale", `deployment/${name}`, `--namespace=${namespace}`, `--replicas=${replicas}`]);
  if (replicas > 0) return rolledOut(target);
  await kubectl.run(["wait", "pods", "--all", `--namespace=${namespace}`, "--for=delete", "--timeout=90s"]);
}
