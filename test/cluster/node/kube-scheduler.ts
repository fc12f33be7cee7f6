import { type RunningProcess, untilReady } from "../processes.ts";
import type { Run } from "../run.ts";
import { httpOk } from "./http-ok.ts";

const PORT = 10259;
const READY_WITHIN_MS = 30_000;

export async function startScheduler(run: Run, binary: string, kubeconfig: string): Promise<RunningProcess> {
  const process = await run.start({
    name: "kube-scheduler",
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--bind-address=127.0.0.1",
      `--secure-port=${PORT}`,
    ],
    stopWithinMs: 5_000,
  });
  await untilReady(process, () => httpOk(`https://127.0.0.1:${PORT}/healthz`), READY_WITHIN_MS);
  return process;
}
