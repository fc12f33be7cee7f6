import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type KubeApi, startKubeApi } from "../../demo/kube-api/server.ts";
import { Program } from "../../demo/program.ts";
import type { Benchmark } from "../benchmark.ts";
import { bundle } from "../bundle.ts";
import { type Figure, missed, shown } from "../figures.ts";
import { describeMachine } from "../machine.ts";
import { figure } from "../table.ts";
import { type Usage, usageOf } from "../usage.ts";
import { makeFleet, startPatroni } from "./fleet.ts";

const CLUSTERS = 1000;
const CLUSTERS_PER_NAMESPACE = 10;

/** At rest the published member of each cluster is asked every ten seconds; whoever looks at less does not see that. */
const REST_SECONDS = 12;

const PATIENCE_MS = 180_000;
const MIB = 2 ** 20;

/** Without a limit to its heap, V8 takes what a large machine has. As the chart has it, with its default memory limit. */
const HEAP = { NODE_OPTIONS: "--max-old-space-size=128 --max-semi-space-size=8" };

const CONFIG = `
webhook: { host: 127.0.0.1, port: 0, registration: { mode: none } }
operations: { host: 127.0.0.1, port: 0 }
drainSeconds: 0
logLevel: info
`;

/** `serve` as the leader over many clusters: what it takes to make their objects, to look at them all anew, and to rest. */
export const controller: Benchmark = async ({ seconds, progress, signal, cores }) => {
  const machine = describeMachine(cores);
  const api = await startKubeApi();
  const patroni = await startPatroni();
  const folder = await mkdtemp(join(tmpdir(), "bench-controller-"));
  const [config, kubeconfig] = [join(folder, "config.yaml"), join(folder, "kubeconfig")];
  await writeFile(config, CONFIG);
  await writeFile(kubeconfig, api.kubeconfig());
  const main = await bundle(folder); // stripping the types of sources takes memory of its own
  const programs: Program[] = [];
  const start = (): Program => {
    const program = new Program(["serve", "--config", config, "--kubeconfig", kubeconfig], HEAP, main);
    programs.push(program);
    return program;
  };
  try {
    progress(`making ${CLUSTERS} clusters of 3 pods`);
    await makeFleet(api, {
      clusters: CLUSTERS,
      clustersPerNamespace: CLUSTERS_PER_NAMESPACE,
      patroniPort: patroni.port,
    });
    signal.throwIfAborted();

    progress("making all their objects");
    const first = start();
    const made = await looked(first);
    await published(api);
    const high = usage(first);
    await first.stop();

    progress("looking at all of them anew");
    const second = start();
    const began = performance.now();
    await second.said("leading");
    const resync = await looked(second);
    const resyncMs = performance.now() - began;
    signal.throwIfAborted();

    progress("at rest");
    await delay(Math.max(seconds, REST_SECONDS) * 1000);
    let writes = 0;
    const end = api.onChange(({ resource }) => {
      if (!resource.startsWith("leases")) writes++;
    });
    const before = usage(second);
    const restedFrom = performance.now();
    await delay(Math.max(seconds, REST_SECONDS) * 1000);
    const after = usage(second);
    const rested = (performance.now() - restedFrom) / 1000;
    end();

    const figures: Figure[] = [
      { what: "first reconcile of all (7 objects each)", value: made, unit: "s" },
      { what: "resident memory after that", value: high.residentBytes / MIB, unit: "MiB", target: 256 },
      { what: "start to all looked at, nothing to do", value: resyncMs / 1000, unit: "s", target: 10 },
      { what: "of that, looking", value: resync, unit: "s" },
      { what: "resident memory at rest", value: after.residentBytes / MIB, unit: "MiB", target: 256 },
      {
        what: "CPU at rest",
        value: ((after.cpuSeconds - before.cpuSeconds) / rested) * 1000,
        unit: "millicores",
      },
      { what: `writes in ${figure(rested)} s at rest`, value: writes, unit: "", target: 0 },
    ];
    return {
      text: `${CLUSTERS} clusters, ${3 * CLUSTERS} pods; node ${HEAP.NODE_OPTIONS}\n\n${shown(figures)}`,
      json: { machine, clusters: CLUSTERS, figures },
      missedTargets: missed(figures),
    };
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    patroni.stop();
    await api.close();
    await rm(folder, { recursive: true });
  }
};

/** @returns the seconds that it says it took */
async function looked(program: Program): Promise<number> {
  const line = await program.said("all clusters are as they should be", PATIENCE_MS);
  return Number(line.seconds);
}

async function published(api: KubeApi): Promise<void> {
  const isPublished = (index: number): boolean => {
    const namespace = `ns-${index % (CLUSTERS / CLUSTERS_PER_NAMESPACE)}`;
    const slice = api.get("endpointslices.discovery.k8s.io", namespace, `pg-${index}-primary`);
    return Array.isArray(slice?.endpoints) && slice.endpoints.length === 1;
  };
  const deadline = performance.now() + PATIENCE_MS;
  for (let index = 0; index < CLUSTERS; ) {
    if (isPublished(index)) index++;
    else if (performance.now() > deadline) throw new Error(`cluster ${index} has no primary`);
    else await delay(100);
  }
}

function usage(program: Program): Usage {
  const used = usageOf(program.pid ?? 0);
  if (used === undefined) throw new Error("this benchmark needs /proc");
  return used;
}
