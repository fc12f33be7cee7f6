import { connect, type KubeConnection } from "./connection.ts";

/**
 * The cluster that a command is about: the kubeconfig that was given, the one that `$KUBECONFIG` names, or the cluster that the process
 * runs in. One that merely lies in the home folder is never used: it may be of another cluster than is meant.
 *
 * @throws where none of these is there, or the file cannot be read
 */
export function chosenCluster(kubeconfig: string | undefined, env: NodeJS.ProcessEnv): KubeConnection {
  const file = kubeconfig ?? (env.KUBECONFIG || undefined);
  if (file === undefined && env.KUBERNETES_SERVICE_HOST === undefined) {
    throw new Error("which cluster? Give --kubeconfig FILE, or set KUBECONFIG");
  }
  return connect(file);
}
