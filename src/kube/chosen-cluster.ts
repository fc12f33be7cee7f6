import { connect, type KubeConnection } from "./connection.ts";

/**
 * The kubeconfig of the cluster that a command is about: the one that was given, or that `$KUBECONFIG` names; undefined for the cluster
 * that the process runs in. One that merely lies in the home folder is never used: it may be of another cluster than is meant.
 *
 * @throws where none of these is there
 */
export function chosenKubeconfig(kubeconfig: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const file = kubeconfig ?? (env.KUBECONFIG || undefined);
  if (file === undefined && env.KUBERNETES_SERVICE_HOST === undefined) {
    throw new Error("which cluster? Give --kubeconfig FILE, or set KUBECONFIG");
  }
  return file;
}

/** @throws where no cluster is chosen, or the kubeconfig cannot be read */
export const chosenCluster = (kubeconfig: string | undefined, env: NodeJS.ProcessEnv): KubeConnection =>
  connect(chosenKubeconfig(kubeconfig, env));
