import { get } from "node:http";
import { join } from "node:path";
import { type RunningProcess, untilReady } from "./processes.ts";
import type { Run } from "./run.ts";

export interface Etcd {
  readonly process: RunningProcess;
  /** For `--etcd-servers`. */
  readonly url: string;
}

const READY_WITHIN_MS = 20_000;

/**
 * One etcd member for this run alone. Its clients come over a Unix socket in the run's folder: no port to lose,
 * and no way in for another user. Nothing is synced to the disk.
 */
export async function startEtcd(run: Run, binary: string): Promise<Etcd> {
  const socket = join(run.folder, "etcd.sock");
  const url = `unix://${socket}`;
  // No member will ever join, and etcd refuses to advertise a Unix socket: hence a URL that leads nowhere.
  const nowhere = "http://127.0.0.1:0";
  const process = await run.start({
    name: "etcd",
    command: binary,
    args: [
      "--name=test",
      `--data-dir=${join(run.folder, "etcd")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${nowhere}`,
      `--listen-peer-urls=${nowhere}`,
      `--initial-advertise-peer-urls=${nowhere}`,
      `--initial-cluster=test=${nowhere}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
    stopWithinMs: 5_000,
  });
  await untilReady(process, () => isHealthy(socket), READY_WITHIN_MS);
  return { process, url };
}

function isHealthy(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get({ socketPath, path: "/health", timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}
