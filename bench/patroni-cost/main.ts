/**
 * What it costs Patroni to be asked four times a second, plain and over TLS: CPU time of a real Patroni and its PostgreSQL, at rest
 * and while they are asked.
 *
 *   node bench/patroni-cost/main.ts --patroni /opt/patroni/bin/patroni --postgres-bin /usr/lib/postgresql/15/bin --user postgres
 */
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { askPatroni, type RestTarget } from "../../src/patroni/rest.ts";
import { percentile, Samples } from "../statistics.ts";
import { figure, table } from "../table.ts";
import { usageOf } from "../usage.ts";
import { type Database, startDatabase } from "./database.ts";

const EVERY_MS = 250;

interface Row {
  readonly what: string;
  /** Thousandths of a core. */
  readonly patroni: number;
  readonly postgres: number;
  readonly p50: number;
  readonly p99: number;
}

const { values } = parseArgs({
  options: {
    patroni: { type: "string", default: "patroni" },
    "postgres-bin": { type: "string", default: "/usr/lib/postgresql/15/bin" },
    user: { type: "string", default: "postgres" },
    seconds: { type: "string", default: "60" },
  },
});

const ended = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ended.abort());
const folder = await mkdtemp(join(tmpdir(), "patroni-cost-"));
await chmod(folder, 0o755);
const databases: Database[] = [];
try {
  const id = (flag: string) => Number(execFileSync("id", [flag, values.user], { encoding: "utf8" }));
  const installation = {
    patroni: values.patroni,
    postgresBin: values["postgres-bin"],
    user: { name: values.user, uid: id("-u"), gid: id("-g") },
  };
  for (const scheme of ["plain", "tls"]) {
    databases.push(await startDatabase(join(folder, scheme), installation, scheme === "tls", ended.signal));
  }
  await delay(12_000); // a round of Patroni's own loop, and what initdb left to be written
  const rest = await Promise.all(databases.map((database) => measure(database, undefined)));
  const asked = await Promise.all(databases.map((database) => measure(database, database.rest)));
  const rows = databases.flatMap(({ rest: { scheme } }, index): Row[] => {
    const [still, busy] = [rest[index], asked[index]];
    if (still === undefined || busy === undefined) return [];
    return [
      { what: `${scheme}, at rest`, ...still },
      { what: `${scheme}, asked ${1000 / EVERY_MS} times a second`, ...busy },
      {
        what: `${scheme}, what that adds`,
        patroni: busy.patroni - still.patroni,
        postgres: busy.postgres - still.postgres,
        p50: Number.NaN,
        p99: Number.NaN,
      },
    ];
  });
  const column = (title: string, cell: (row: Row) => number) =>
    ({ title, align: "right", cell: (row: Row) => figure(cell(row)) }) as const;
  process.stdout.write(
    `${table<Row>(
      [
        { title: `over ${values.seconds} s`, align: "left", cell: ({ what }) => what },
        column("Patroni mCPU", ({ patroni }) => patroni),
        column("PostgreSQL mCPU", ({ postgres }) => postgres),
        column("sum", ({ patroni, postgres }) => patroni + postgres),
        column("p50 ms", ({ p50 }) => p50),
        column("p99 ms", ({ p99 }) => p99),
      ],
      rows,
    )}\n`,
  );
} finally {
  await Promise.all(databases.map((database) => database.stop()));
  await rm(folder, { recursive: true, force: true });
}

async function measure({ pids }: Database, target: RestTarget | undefined): Promise<Omit<Row, "what">> {
  const cpu = (ids: readonly number[]) => ids.reduce((sum, pid) => sum + (usageOf(pid)?.cpuSeconds ?? 0), 0);
  const processes = pids.postgres(); // those that live throughout; Patroni keeps its connection
  const [patroni, postgres] = [cpu([pids.patroni]), cpu(processes)];
  const began = performance.now();
  const samples = new Samples();
  for (let due = began; due - began < Number(values.seconds) * 1000; due += EVERY_MS) {
    await delay(Math.max(0, due - performance.now()), undefined, { signal: ended.signal });
    if (target === undefined) continue;
    const sentAt = performance.now();
    await askPatroni(target, "/primary");
    samples.add(performance.now() - sentAt);
  }
  const seconds = (performance.now() - began) / 1000;
  const sorted = samples.sorted();
  return {
    patroni: ((cpu([pids.patroni]) - patroni) / seconds) * 1000,
    postgres: ((cpu(processes) - postgres) / seconds) * 1000,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
  };
}
