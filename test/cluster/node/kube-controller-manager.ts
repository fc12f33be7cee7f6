import { join } from "node:path";
import { type RunningProcess, untilReady } from "../processes.ts";
import type { Run } from "../run.ts";
import { POD_CIDR } from "./addresses.ts";
import { httpOk } from "./http-ok.ts";

const PORT = 10257;
const READY_WITHIN_MS = 30_000;

export async function startControllerManager(
  run: Run,
  binary: string,
  kubeconfig: string,
): Promise<RunningProcess> {
  const process = await run.start({
    name: "kube-controller-manager",
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      `--secure-port=${PORT}`,
      "--allocate-node-cidrs",
      `--cluster-cidr=${POD_CIDR}`,
      "--use-service-account-credentials",
      `--service-account-private-key-file=${join(run.folder, "service-account.key")}`,
      `--flex-volume-plugin-dir=${join(run.folder, "volume-plugins")}`,
      `--root-ca-file=${join(run.folder, "ca.crt")}`,
    ],
    stopWithinMs: 5_000,
  });
  await untilReady(process, () => httpOk(`https://127.0.0.1:${PORT}/healthz`), READY_WITHIN_MS);
  return process;
}
