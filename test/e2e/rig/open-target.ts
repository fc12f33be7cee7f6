import { join } from "node:path";
import { ensureBinaries, type Log } from "../../cluster/build.ts";
import { startCluster } from "../../cluster/cluster.ts";
import { ensureImages } from "../../cluster/images/ensure.ts";
import type { Target } from "./target.ts";

/** A cluster to run on, and its end. */
export interface OpenTarget {
  readonly target: Target;
  close(): Promise<void>;
}

/** Names a kubeconfig: the suite runs on that cluster, and starts none. */
export const KUBECONFIG_ENV = "E2E_KUBECONFIG";

/** With a cluster of the user's own: images that its nodes can pull, each with its tag. */
export const IMAGE_ENVS = {
  injector: "E2E_INJECTOR_IMAGE",
  patroni: "E2E_PATRONI_IMAGE",
  etcd: "E2E_ETCD_IMAGE",
  pgbouncer: "E2E_PGBOUNCER_IMAGE",
} as const;

/** What the environment lacks for a run on the user's own cluster. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** The user's own cluster where the environment names one; else one that is started for this run, from nothing. */
export function openTarget(out: string, env: NodeJS.ProcessEnv, log: Log): Promise<OpenTarget> {
  const kubeconfig = env[KUBECONFIG_ENV];
  return kubeconfig ? ownCluster(kubeconfig, out, env, log) : newCluster(out, log);
}

async function ownCluster(
  kubeconfig: string,
  out: string,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<OpenTarget> {
  const images = imagesFrom(env);
  const { helm, kubectl } = await ensureBinaries(["helm", "kubectl"], log);
  const target = { access: { kubectl, kubeconfig, prefix: [] }, helm, images, out };
  return { target, close: async () => {} };
}

/** @throws EnvironmentError that names every variable that is missing */
export function imagesFrom(env: NodeJS.ProcessEnv): Target["images"] {
  const missing = Object.values(IMAGE_ENVS).filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new EnvironmentError(
      `${KUBECONFIG_ENV} is set: ${missing.join(", ")} must name images that the cluster's nodes can pull.`,
    );
  }
  const of = (name: keyof typeof IMAGE_ENVS) => env[IMAGE_ENVS[name]] ?? "";
  return { injector: of("injector"), patroni: of("patroni"), etcd: of("etcd"), pgbouncer: of("pgbouncer") };
}

async function newCluster(out: string, log: Log): Promise<OpenTarget> {
  const images = await ensureImages(log);
  const cluster = await startCluster({ name: `e2e-${process.pid}`, detached: false }, log);
  try {
    for (const { archive, reference } of Object.values(images)) {
      log(`loading ${reference}`);
      await cluster.loadImage(archive);
    }
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  const { injector, patroni, etcd, pgbouncer } = images;
  const target = {
    access: {
      kubectl: join(cluster.binaries, "kubectl"),
      kubeconfig: cluster.kubeconfig,
      prefix: cluster.enter,
    },
    helm: join(cluster.binaries, "helm"),
    images: {
      injector: injector.reference,
      patroni: patroni.reference,
      etcd: etcd.reference,
      pgbouncer: pgbouncer.reference,
    },
    out,
  };
  return { target, close: () => cluster.stop() };
}
