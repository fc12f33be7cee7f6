/** Leaders of the controller that are stopped past their Lease and woken again, at any point of their work. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../random.ts";
import { Duel } from "./duel.ts";

/** @returns how the process should end */
export async function leaders(rounds: number, pairs: number, seed: number): Promise<number> {
  process.stdout.write(`leaders: ${rounds} rounds on ${pairs} pairs of replicas at once, seed ${seed}\n`);
  const folder = await mkdtemp(join(tmpdir(), "leaders-"));
  const duels: Duel[] = [];
  const failures: string[] = [];
  let left = rounds;
  try {
    for (let pair = 0; pair < pairs; pair++) duels.push(await Duel.start(join(folder, String(pair))));
    await Promise.all(
      duels.map(async (duel, pair) => {
        const random = new Random(seed + pair);
        while (left-- > 0) {
          await duel.round(random).catch((error: Error) => failures.push(`pair ${pair}: ${error.message}`));
        }
      }),
    );
    return report(duels, failures);
  } finally {
    await Promise.all(duels.map((duel) => duel.stop()));
    await rm(folder, { recursive: true });
  }
}

function report(duels: readonly Duel[], failures: readonly string[]): number {
  const tallies = duels.map(({ writes }) => writes);
  const kinds = new Set(tallies.flatMap(({ landed, refused }) => [...landed.keys(), ...refused.keys()]));
  const sum = (which: "landed" | "refused", kind: string) =>
    tallies.reduce((total, tally) => total + (tally[which].get(kind) ?? 0), 0);
  const blind = tallies.flatMap((tally) => tally.blind);
  const violations = duels.flatMap((duel) => duel.violations);
  const lines = [
    "writes by kind (landed; refused because the object had changed since it was read):",
    ...[...kinds].sort().map((kind) => `  ${kind}: ${sum("landed", kind)}; ${sum("refused", kind)}`),
    `writes to an object that rest on no version of it: ${blind.length}`,
    `two addresses or an older term over a newer one: ${violations.length}`,
    `rounds that did not end as they must: ${failures.length}`,
    ...[...blind, ...violations, ...failures].slice(0, 20).map((line) => `  ${line}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return blind.length + violations.length + failures.length === 0 ? 0 : 1;
}
