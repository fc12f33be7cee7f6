import { type RunningProcess, untilReady } from "../processes.ts";
import type { Run } from "../run.ts";
import { NODE_NAME, POD_CIDR } from "./addresses.ts";
import { httpOk } from "./http-ok.ts";

const HEALTH_PORT = 10256;
const READY_WITHIN_MS = 30_000;

/** Answers with 200 once the rules of all Services that it knows are in force. */
export async function startKubeProxy(run: Run, binary: string, kubeconfig: string): Promise<RunningProcess> {
  const process = await run.start({
    name: "kube-proxy",
    command: binary,
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--hostname-override=${NODE_NAME}`,
      "--proxy-mode=iptables",
      `--cluster-cidr=${POD_CIDR}`,
      `--healthz-bind-address=127.0.0.1:${HEALTH_PORT}`,
      // The limits on tracked connections belong to the machine; only its own network namespace may change them.
      "--conntrack-max-per-core=0",
      "--conntrack-tcp-timeout-established=0",
      "--conntrack-tcp-timeout-close-wait=0",
    ],
    stopWithinMs: 5_000,
  });
  await untilReady(process, () => httpOk(`http://127.0.0.1:${HEALTH_PORT}/healthz`), READY_WITHIN_MS);
  return process;
}
