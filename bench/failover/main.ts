import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient } from "../../demo/client.ts";
import { startKubeApi } from "../../demo/kube-api/server.ts";
import type { Benchmark } from "../benchmark.ts";
import { currentLoad, describeMachine } from "../machine.ts";
import { percentile, Samples } from "../statistics.ts";
import { figure, table } from "../table.ts";
import { measureAtRest } from "./at-rest.ts";
import { BenchCluster } from "./cluster.ts";

const CLUSTERS = 6;
/** For each second that a measurement is to take; the default of three makes 204 failovers, and a minute at rest. */
const FAILOVERS_A_SECOND = 68;
const REST_SECONDS_A_SECOND = 20;

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** It must not exceed this. */
  readonly target: number | undefined;
}

/** How fast the slice follows the primary, and what a sidecar costs while nothing happens. */
export const failover: Benchmark = async ({ seconds, signal, progress, cores }) => {
  const machine = describeMachine(cores);
  const folder = await mkdtemp(join(tmpdir(), "bench-failover-"));
  const api = await startKubeApi();
  const client = new ApiClient(api.url, api.caPem, api.tokens.issue("bench"));
  try {
    progress(`a sidecar at rest, ${seconds * REST_SECONDS_A_SECOND} s`);
    const rest = await measureAtRest(api, client, folder, seconds * REST_SECONDS_A_SECOND, signal);
    const each = Math.ceil((seconds * FAILOVERS_A_SECOND) / CLUSTERS);
    progress(`${each * CLUSTERS} failovers on ${CLUSTERS} clusters`);
    const [published, removed, violations] = await failovers(each, { api, client, folder }, signal);
    const [after, gone] = [published.sorted(), removed.sorted()];
    const figures: Figure[] = [
      { what: "promoted → published, p50", value: percentile(after, 50), unit: "ms", target: 250 },
      { what: "promoted → published, p99", value: percentile(after, 99), unit: "ms", target: 1000 },
      { what: "promoted → published, max", value: percentile(after, 100), unit: "ms", target: undefined },
      { what: "stopping → removed, p50", value: percentile(gone, 50), unit: "ms", target: undefined },
      { what: "stopping → removed, max", value: percentile(gone, 100), unit: "ms", target: 2000 },
      { what: "two addresses, or an older term", value: violations, unit: "times", target: 0 },
      { what: "at rest: anonymous memory", value: rest.anonymousMiB, unit: "MiB", target: 24 },
      {
        what: "at rest: resident memory, Node's binary included",
        value: rest.residentMiB,
        unit: "MiB",
        target: undefined,
      },
      { what: "at rest: CPU", value: rest.millicores, unit: "millicores", target: 10 },
      { what: `at rest: writes in ${figure(rest.seconds)} s`, value: rest.writes, unit: "", target: 0 },
    ];
    return {
      text: [
        `Node ${machine.node} on ${machine.system}, ${machine.cores} × ${machine.cpu}; load ${machine.loadBefore} before`,
        `${published.count} failovers on ${CLUSTERS} clusters of 3, at a recorded cluster's pace`,
        "",
        text(figures),
      ].join("\n"),
      json: {
        benchmark: "failover",
        finishedAt: new Date().toISOString(),
        machine: { ...machine, loadAfter: currentLoad() },
        failovers: published.count,
        figures,
      },
      missedTargets: figures.filter(isMissed).length,
    };
  } finally {
    client.close();
    await api.close();
    await rm(folder, { recursive: true, force: true });
  }
};

async function failovers(
  each: number,
  parts: ConstructorParameters<typeof BenchCluster>[1],
  signal: AbortSignal,
): Promise<readonly [Samples, Samples, number]> {
  const [published, removed] = [new Samples(), new Samples()];
  const clusters = Array.from({ length: CLUSTERS }, (_, index) => new BenchCluster(index, parts));
  try {
    for (const cluster of clusters) await cluster.start();
    await Promise.all(
      clusters.map(async (cluster) => {
        for (let count = 0; count < each; count++) {
          signal.throwIfAborted();
          await cluster.switchover(published, removed);
        }
      }),
    );
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  }
  return [published, removed, clusters.reduce((sum, { recorder }) => sum + recorder.violations.length, 0)];
}

const isMissed = ({ value, target }: Figure): boolean => target !== undefined && !(value <= target);

const text = (figures: readonly Figure[]): string =>
  table<Figure>(
    [
      { title: "what", align: "left", cell: ({ what }) => what },
      { title: "measured", align: "right", cell: ({ value }) => figure(value) },
      { title: "unit", align: "left", cell: ({ unit }) => unit },
      { title: "at most", align: "right", cell: ({ target }) => figure(target) },
      {
        title: "",
        align: "left",
        cell: (one) => (one.target === undefined ? "" : isMissed(one) ? "missed" : "kept"),
      },
    ],
    figures,
  );
