import type { RunningProcess } from "../processes.ts";
import type { Run } from "../run.ts";

export function startScheduler(run: Run, binary: string, kubeconfig: string): Promise<RunningProcess> {
  return run.start({
    name: "kube-scheduler",
    command: binary,
    args: [`--kubeconfig=${kubeconfig}`, "--leader-elect=false", "--bind-address=127.0.0.1"],
    stopWithinMs: 5_000,
  });
}
