import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { Kubectl, until } from "./kubectl.ts";
import { hasSidecar } from "./sidecars.ts";
import type { Target } from "./target.ts";

export const RELEASE = { name: "patroni-injector", namespace: "patroni-injector" } as const;

export const CHART = join(import.meta.dirname, "../../../charts/patroni-injector");
const WAIT = "180s";

/** Values for the target's own image. The sidecar's follows it. */
export function valuesFor({ images }: Target): JsonObject {
  const colon = images.injector.lastIndexOf(":");
  return { image: { repository: images.injector.slice(0, colon), tag: images.injector.slice(colon + 1) } };
}

/** `helm` with the target's cluster and the values on standard input; gives its standard output. */
export async function helm(target: Target, args: readonly string[], values?: JsonObject): Promise<string> {
  const { prefix, kubeconfig } = target.access;
  const file = values === undefined ? [] : ["--values", "-"];
  const all = [...prefix, target.helm, ...args, "--kubeconfig", kubeconfig, ...file];
  const [program = target.helm, ...rest] = all;
  const running = promisify(execFile)(program, rest, { maxBuffer: 1 << 24, timeout: 300_000 });
  running.child.stdin?.end(values === undefined ? "" : JSON.stringify(values));
  return (await running).stdout;
}

/**
 * Installs the chart where it is not there yet, and waits until its pods are ready.
 *
 * @returns milliseconds from the call of `helm install` to Ready, or undefined where it was there already
 */
export async function ensureInstalled(target: Target, values: JsonObject = {}): Promise<number | undefined> {
  const { name, namespace } = RELEASE;
  const releases = await helm(target, ["list", "--namespace", namespace, "--short"]);
  if (releases.split("\n").includes(name)) return undefined;
  const started = performance.now();
  const place = [name, CHART, "--namespace", namespace, "--create-namespace"];
  await helm(target, ["install", ...place], { ...valuesFor(target), ...values });
  await rolledOut(target);
  const tookMs = performance.now() - started;
  await untilInjecting(target);
  return tookMs;
}

/** A new webhook configuration comes into force within about a second: pods that are made before get past it. */
async function untilInjecting({ access }: Target): Promise<void> {
  const kubectl = new Kubectl(access);
  const namespace = "e2e-first-injection";
  const metadata = { name: "first", namespace, labels: { application: "patroni", "cluster-name": "first" } };
  const containers = [{ name: "postgres", image: "none", env: [{ name: "PATRONI_SCOPE", value: "first" }] }];
  const pod: JsonObject = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers } };
  await kubectl.apply([
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { [NAMESPACE_LABEL]: "enabled" } },
    },
  ]);
  const dryRun = ["create", "--filename=-", "--dry-run=server", "--output=json"];
  await until("a pod is injected", 60_000, async () => {
    const made = JSON.parse(await kubectl.run(dryRun, { input: JSON.stringify(pod) })) as JsonObject;
    return hasSidecar(made) || undefined;
  });
  await kubectl.run(["delete", "namespace", namespace, "--wait=false"]);
}

/** Waits until the Deployment is as it was asked to be. */
export async function rolledOut({ access }: Target): Promise<void> {
  const { name, namespace } = RELEASE;
  const place = [`deployment/${name}`, `--namespace=${namespace}`, `--timeout=${WAIT}`];
  await new Kubectl(access).run(["rollout", "status", ...place], { timeoutMs: 200_000 });
}
