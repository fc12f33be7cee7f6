/**
 * `npm run chaos`: sidecars as real processes against the embedded API, and everything that can go wrong. With `--controller` the
 * controller takes part, as a process of its own, and there are rounds that only it brings to a good end. With `--rollouts N`: N
 * rolling restarts of the webhook's replicas under load instead (`--per-second`, default 200). With `--leaders`: leaders of the
 * controller that are stopped past their Lease and woken (`--rounds`, `--clusters` pairs of replicas at once).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ApiClient } from "../../demo/client.ts";
import { startKubeApi } from "../../demo/kube-api/server.ts";
import { startController } from "./controller.ts";
import { Field } from "./field.ts";
import { leaders } from "./leaders/main.ts";
import { Random } from "./random.ts";
import { rollouts } from "./rollout/main.ts";
import { CONTROLLER_ROUNDS, ROUNDS, settle } from "./rounds.ts";
import { staleTimes } from "./stale.ts";
import { unreadWrites } from "./writes.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "1000" },
    clusters: { type: "string", default: "4" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
    controller: { type: "boolean", default: false },
    leaders: { type: "boolean", default: false },
    rollouts: { type: "string" },
    "per-second": { type: "string", default: "200" },
  },
});

interface Tally {
  rounds: number;
  readonly publishedMs: number[];
  readonly failures: string[];
}

process.exitCode = await run();

function run(): Promise<number> {
  const { rollouts: restarts, rounds, clusters, seed } = values;
  if (restarts !== undefined) return rollouts(Number(restarts), Number(values["per-second"]));
  if (values.leaders) return leaders(Number(rounds), Number(clusters), Number(seed));
  return chaos(Number(rounds), Number(clusters), Number(seed));
}

async function chaos(rounds: number, clusters: number, seed: number): Promise<number> {
  process.stdout.write(`chaos: ${rounds} rounds on ${clusters} clusters at once, seed ${seed}\n`);
  const folder = await mkdtemp(join(tmpdir(), "chaos-"));
  const api = await startKubeApi({ auditLimit: 1_000_000 });
  const client = new ApiClient(api.url, api.caPem, api.tokens.issue("chaos"));
  const controller = values.controller ? await startController(api, join(folder, "controller")) : undefined;
  const kinds = controller === undefined ? ROUNDS : { ...ROUNDS, ...CONTROLLER_ROUNDS };
  const fields = Array.from(
    { length: clusters },
    (_, index) => new Field(api, client, index, folder, controller !== undefined),
  );
  const tallies = new Map<string, Tally>();
  let left = rounds;
  try {
    for (const field of fields) await field.start();
    await Promise.all(
      fields.map(async (field, index) => {
        const random = new Random(seed + index);
        while (left-- > 0) await round(field, random, kinds, tallies);
      }),
    );
  } finally {
    await Promise.all(fields.map((field) => field.stop()));
    await controller?.stop();
    client.close();
    await api.close();
    await rm(folder, { recursive: true });
  }
  const violations = fields.flatMap(({ recorder, namespace }) =>
    recorder.violations.map((violation) => `${namespace}: ${violation}`),
  );
  const stale = fields.map(({ recorder, cluster }) => staleTimes(recorder.moments, cluster.history));
  process.stdout.write(
    [
      line(
        "the slice showed somebody while nobody was primary",
        stale.flatMap(({ nobody }) => nobody),
      ),
      line(
        "the slice showed somebody while another was primary",
        stale.flatMap(({ another }) => another),
      ),
    ].join(""),
  );
  return report(tallies, violations, unreadWrites(api.audit.entries));
}

function line(what: string, times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "–";
  return `${what}: ${times.length} times, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms\n`;
}

async function round(
  field: Field,
  random: Random,
  kinds: typeof ROUNDS,
  tallies: Map<string, Tally>,
): Promise<void> {
  const name = values.only ?? random.pick(Object.keys(kinds));
  const tally = tallies.get(name) ?? { rounds: 0, publishedMs: [], failures: [] };
  tallies.set(name, tally);
  tally.rounds++;
  const promotion = field.cluster.promotedAt;
  try {
    await kinds[name]?.(field, random);
    const tookMs = await settle(field);
    if (field.cluster.promotedAt !== promotion) tally.publishedMs.push(tookMs);
  } catch (error) {
    tally.failures.push((error as Error).message);
  }
}

function report(
  tallies: ReadonlyMap<string, Tally>,
  violations: readonly string[],
  unread: readonly string[],
): number {
  const rows = [...tallies].sort().map(([name, { rounds, publishedMs, failures }]) => {
    const sorted = publishedMs.toSorted((one, other) => one - other);
    const at = (share: number) =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]?.toFixed(0) ?? "–";
    return {
      round: name,
      rounds,
      failed: failures.length,
      "p50 ms": at(0.5),
      "p99 ms": at(0.99),
      "max ms": at(1),
    };
  });
  const failures = [...tallies].flatMap(([name, tally]) =>
    tally.failures.map((failure) => `${name}: ${failure}`),
  );
  const lines = [
    "from the promotion to the slice that shows it, after each kind of round:",
    ...table(rows),
    `two addresses or an older term over a newer one: ${violations.length}`,
    `writes without the slice having been read first: ${unread.length}`,
    `rounds that did not end as they must: ${failures.length}`,
    ...[...violations, ...unread, ...failures].slice(0, 20).map((line) => `  ${line}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return violations.length + unread.length + failures.length === 0 ? 0 : 1;
}

function table(rows: readonly Readonly<Record<string, string | number>>[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => String(row[column]).length)),
  );
  const line = (cells: readonly (string | number)[]) =>
    `  ${cells.map((cell, index) => String(cell).padEnd(widths[index] ?? 0)).join("  ")}`.trimEnd();
  return [line(columns), ...rows.map((row) => line(columns.map((column) => row[column] ?? "")))];
}
