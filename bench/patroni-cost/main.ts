import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askPatroni, type RestTarget } from "../../src/patroni/rest.ts";
import type { Benchmark, Report } from "../benchmark.ts";
import { describeMachine } from "../machine.ts";
import { percentile, Samples } from "../statistics.ts";
import { figure, table } from "../table.ts";
import { usageOf } from "../usage.ts";
import { type Database, startDatabase } from "./database.ts";
import { findInstallation } from "./installation.ts";

const EVERY_MS = 250;

/** CPU time is counted in hundredths of a second: less than this tells nothing. */
const LEAST_SECONDS = 20;

/** What being asked may cost Patroni and its PostgreSQL together. Thousandths of a core. */
const MOST_MCPU = 10;

interface Row {
  readonly what: string;
  /** Thousandths of a core. */
  readonly patroni: number;
  readonly postgres: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * What it costs Patroni to be asked four times a second, plain and over TLS: CPU time of a real Patroni and its PostgreSQL, at rest
 * and while they are asked.
 */
export const patroniCost: Benchmark = async (options) => {
  const found = findInstallation(process.env);
  if ("missing" in found) {
    const text = `skipped: ${found.missing}; bench/README.md says what is needed`;
    return { text, json: { skipped: found.missing }, missedTargets: 0 };
  }
  const seconds = Math.max(options.seconds, LEAST_SECONDS);
  const machine = describeMachine(options.cores);
  const folder = await mkdtemp(join(tmpdir(), "patroni-cost-"));
  await chmod(folder, 0o755);
  const databases: Database[] = [];
  try {
    for (const scheme of ["plain", "tls"]) {
      options.progress(`starting Patroni, ${scheme}`);
      const place = join(folder, scheme);
      databases.push(await startDatabase(place, found.installation, scheme === "tls", options.signal));
    }
    await delay(12_000, undefined, { signal: options.signal }); // a round of Patroni's own loop, and what initdb left to be written
    const all = (asked: boolean) =>
      Promise.all(
        databases.map((database) =>
          measure(database, asked ? database.rest : undefined, seconds, options.signal),
        ),
      );
    options.progress(`at rest, ${seconds} s`);
    const rest = await all(false);
    options.progress(`asked, ${seconds} s`);
    const asked = await all(true);
    const rows = databases.flatMap(({ rest: { scheme } }, index): Row[] => {
      const [still, busy] = [rest[index], asked[index]];
      return still === undefined || busy === undefined ? [] : rowsOf(scheme, still, busy);
    });
    return reportOf(rows, seconds, machine);
  } finally {
    await Promise.all(databases.map((database) => database.stop()));
    await rm(folder, { recursive: true, force: true });
  }
};

type Measured = Omit<Row, "what">;

const ADDED = "what that adds";

function rowsOf(scheme: string, still: Measured, busy: Measured): Row[] {
  return [
    { what: `${scheme}, at rest`, ...still },
    { what: `${scheme}, asked ${1000 / EVERY_MS} times a second`, ...busy },
    {
      what: `${scheme}, ${ADDED}`,
      patroni: busy.patroni - still.patroni,
      postgres: busy.postgres - still.postgres,
      p50: Number.NaN,
      p99: Number.NaN,
    },
  ];
}

function reportOf(rows: readonly Row[], seconds: number, machine: object): Report {
  const sum = ({ patroni, postgres }: Row) => patroni + postgres;
  const missed = rows.filter((row) => row.what.endsWith(ADDED) && sum(row) > MOST_MCPU);
  const column = (title: string, cell: (row: Row) => number) =>
    ({ title, align: "right", cell: (row: Row) => figure(cell(row)) }) as const;
  const text = table<Row>(
    [
      { title: `over ${seconds} s`, align: "left", cell: ({ what }) => what },
      column("Patroni mCPU", ({ patroni }) => patroni),
      column("PostgreSQL mCPU", ({ postgres }) => postgres),
      column("sum", sum),
      column("p50 ms", ({ p50 }) => p50),
      column("p99 ms", ({ p99 }) => p99),
    ],
    rows,
  );
  const target = `being asked may add ${MOST_MCPU} mCPU (1 % of a core): ${missed.length === 0 ? "kept" : "missed"}`;
  return { text: `${text}\n\n${target}`, json: { machine, seconds, rows }, missedTargets: missed.length };
}

async function measure(
  { pids }: Database,
  target: RestTarget | undefined,
  seconds: number,
  signal: AbortSignal,
): Promise<Measured> {
  const cpu = (ids: readonly number[]) => ids.reduce((sum, pid) => sum + (usageOf(pid)?.cpuSeconds ?? 0), 0);
  const processes = pids.postgres(); // those that live throughout; Patroni keeps its connection
  const [patroni, postgres] = [cpu([pids.patroni]), cpu(processes)];
  const began = performance.now();
  const samples = new Samples();
  for (let due = began; due - began < seconds * 1000; due += EVERY_MS) {
    await delay(Math.max(0, due - performance.now()), undefined, { signal });
    if (target === undefined) continue;
    const sentAt = performance.now();
    await askPatroni(target, "/primary");
    samples.add(performance.now() - sentAt);
  }
  const took = (performance.now() - began) / 1000;
  const sorted = samples.sorted();
  return {
    patroni: ((cpu([pids.patroni]) - patroni) / took) * 1000,
    postgres: ((cpu(processes) - postgres) / took) * 1000,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
  };
}
