import { join } from "node:path";
import type { RunningProcess } from "../processes.ts";
import type { Run } from "../run.ts";
import { POD_CIDR } from "./addresses.ts";

export function startControllerManager(
  run: Run,
  binary: string,
  kubeconfig: string,
): Promise<RunningProcess> {
  return run.start({
    name: "kube-controller-manager",
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      "--allocate-node-cidrs",
      `--cluster-cidr=${POD_CIDR}`,
      "--use-service-account-credentials",
      `--service-account-private-key-file=${join(run.folder, "service-account.key")}`,
      `--flex-volume-plugin-dir=${join(run.folder, "volume-plugins")}`,
      `--root-ca-file=${join(run.folder, "ca.crt")}`,
    ],
    stopWithinMs: 5_000,
  });
}
