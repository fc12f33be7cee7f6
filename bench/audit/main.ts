import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startKubeApi } from "../../demo/kube-api/server.ts";
import type { Benchmark } from "../benchmark.ts";
import { makeFleet } from "../controller/fleet.ts";
import { type Figure, missed, shown } from "../figures.ts";
import { describeMachine } from "../machine.ts";

const CLUSTERS = 1000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** As the chart's CronJob runs it (charts/patroni-injector/templates/audit.yaml). */
const NODE_OPTIONS = ["--max-old-space-size=128", "--max-semi-space-size=8"];
const SAMPLE_MS = 50;
const MIB = 2 ** 20;

/** `audit` of many clusters as a process of its own, without dry-runs: time, the largest memory, what it asks for. */
export const audit: Benchmark = async ({ progress, cores, signal }) => {
  const machine = describeMachine(cores);
  const api = await startKubeApi();
  const folder = await mkdtemp(join(tmpdir(), "bench-audit-"));
  try {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, api.kubeconfig());
    progress(`making ${CLUSTERS} clusters of 3 pods`);
    await makeFleet(api, {
      clusters: CLUSTERS,
      clustersPerNamespace: 10,
      patroniPort: 8008,
      kubernetesDcs: true,
    });
    signal.throwIfAborted();
    progress("auditing");
    const run = await audited(kubeconfig, join(folder, "report.json"));
    const figures: Figure[] = [
      { what: "time", value: run.seconds, unit: "s", target: 30 },
      { what: "resident memory at its highest", value: run.residentBytes / MIB, unit: "MiB", target: 256 },
      { what: "findings", value: run.findings, unit: "" },
    ];
    return {
      text: `${CLUSTERS} clusters, ${3 * CLUSTERS} pods\n\n${shown(figures)}`,
      json: { machine, clusters: CLUSTERS, figures },
      missedTargets: missed(figures),
    };
  } finally {
    await api.close();
    await rm(folder, { recursive: true });
  }
};

interface Run {
  readonly seconds: number;
  readonly residentBytes: number;
  readonly findings: number;
}

async function audited(kubeconfig: string, output: string): Promise<Run> {
  const argv = [
    "audit",
    "-A",
    "--no-dry-run",
    "--fail-on",
    "never",
    "-o",
    "json",
    "--kubeconfig",
    kubeconfig,
  ];
  const began = performance.now();
  const child = spawn(process.execPath, [...NODE_OPTIONS, MAIN, ...argv], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  let residentBytes = 0;
  const sampling = setInterval(() => {
    void highWater(child.pid ?? 0).then((bytes) => {
      residentBytes = Math.max(residentBytes, bytes);
    });
  }, SAMPLE_MS);
  const [code] = await once(child, "close");
  clearInterval(sampling);
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`audit ended with exit code ${String(code)}`);
  await writeFile(output, Buffer.concat(chunks));
  const { clusters, summary } = JSON.parse(await readFile(output, "utf8"));
  if (clusters.length !== CLUSTERS) throw new Error(`${clusters.length} clusters were audited`);
  return { seconds, residentBytes, findings: summary.error + summary.warning + summary.info };
}

/** `VmHWM` of proc_pid_status(5): 0 once the process has ended. */
async function highWater(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
