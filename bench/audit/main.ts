import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startKubeApi } from "../../demo/kube-api/server.ts";
import { connect } from "../../src/kube/connection.ts";
import type { Benchmark } from "../benchmark.ts";
import { bundle } from "../bundle.ts";
import { onCore } from "../cores.ts";
import { type Figure, missed, shown } from "../figures.ts";
import { describeMachine } from "../machine.ts";
import { usageOf } from "../usage.ts";
import { makeWholeFleet } from "./fleet.ts";

const CLUSTERS = 1000;
const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/** How it is started. */
interface Form {
  readonly name: string;
  /** What Node is started with. */
  program(shipped: string): readonly string[];
}

/** Each must hold the targets. */
const FORMS: readonly Form[] = [
  { name: "as it is shipped", program: (shipped) => [shipped] },
  {
    name: "as the CronJob", // charts/patroni-injector/templates/audit.yaml
    program: (shipped) => ["--max-old-space-size=128", "--max-semi-space-size=8", shipped],
  },
  { name: "from its sources", program: () => [MAIN] },
];

const SAMPLE_MS = 50;
const MIB = 2 ** 20;

/** `audit` of many clusters as a process of its own, without dry-runs: time, and the largest memory. */
export const audit: Benchmark = async ({ progress, cores, signal }) => {
  const machine = describeMachine(cores);
  const api = await startKubeApi();
  const folder = await mkdtemp(join(tmpdir(), "bench-audit-"));
  try {
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, api.kubeconfig());
    progress(`making ${CLUSTERS} clusters of 3 pods`);
    await makeWholeFleet(connect(kubeconfig), CLUSTERS);
    const shipped = await bundle(folder);
    const figures: Figure[] = [];
    for (const { name, program } of FORMS) {
      signal.throwIfAborted();
      progress(`auditing ${name}`);
      figures.push(
        ...figuresOf(
          name,
          await audited(onCore(cores?.server, [process.execPath, ...program(shipped)]), kubeconfig),
        ),
      );
    }
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
  /** Of all threads. On a machine that is busy otherwise it says more than the time. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly findings: number;
}

const figuresOf = (form: string, { seconds, cpuSeconds, residentBytes, findings }: Run): Figure[] => [
  { what: `${form}: time`, value: seconds, unit: "s", target: 30 },
  { what: `${form}: CPU time`, value: cpuSeconds, unit: "s" },
  { what: `${form}: resident memory at its highest`, value: residentBytes / MIB, unit: "MiB", target: 256 },
  { what: `${form}: findings`, value: findings, unit: "" },
];

/** @param started the program and what goes before its arguments */
async function audited(started: readonly string[], kubeconfig: string): Promise<Run> {
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
  const [command = "", ...before] = started;
  const child = spawn(command, [...before, ...argv], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  let residentBytes = 0;
  let cpuSeconds = 0;
  const sampling = setInterval(() => {
    cpuSeconds = usageOf(child.pid ?? 0)?.cpuSeconds ?? cpuSeconds;
    void highWater(child.pid ?? 0).then((bytes) => {
      residentBytes = Math.max(residentBytes, bytes);
    });
  }, SAMPLE_MS);
  const [code] = await once(child, "close");
  clearInterval(sampling);
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`audit ended with exit code ${String(code)}`);
  const { clusters, summary } = JSON.parse(Buffer.concat(chunks).toString());
  if (clusters.length !== CLUSTERS) throw new Error(`${clusters.length} clusters were audited`);
  return { seconds, cpuSeconds, residentBytes, findings: summary.error + summary.warning + summary.info };
}

/** `VmHWM` of proc_pid_status(5): 0 once the process has ended. */
async function highWater(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
