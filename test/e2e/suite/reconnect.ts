import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { FAULTS } from "../faults/faults.ts";
import { runBehindPools } from "../faults/run-behind-pools.ts";
import type { Deployed } from "../rig/deploy.ts";
import { keepSpread } from "../rig/figures.ts";
import { startLonePool } from "../rig/pool.ts";
import type { Saboteur } from "../rig/saboteur.ts";
import { RECONNECTS, sidecarMetric } from "../rig/sidecars.ts";

/** How often each fault strikes. The first leaves no connection to the former primary behind, the second leaves them all. */
const ROUNDS = { switchover: 3, freeze: 1 } as const;

/** What RECONNECT is worth: a pool in a member's pod that is told to, beside one to which nobody says it. */
export function describeReconnect(get: () => Deployed, saboteur: () => Saboteur): void {
  describe("behind a pool clients write to the new primary, with and without RECONNECT", () => {
    let lone: string;
    before(async () => {
      lone = await startLonePool(get());
    });

    for (const { name, title, strike } of FAULTS) {
      const rounds = name in ROUNDS ? ROUNDS[name as keyof typeof ROUNDS] : 0;
      if (rounds === 0) continue;
      it(`${title} (rounds: ${rounds})`, { timeout: rounds * 400_000 }, async () => {
        const { kubectl, members, form, target } = get();
        const scene = { kubectl, members, saboteur: saboteur(), ttlSeconds: form.ttlSeconds };
        const before = await reconnectsOf(get());
        const times: { readonly reconnecting: number; readonly alone: number }[] = [];
        for (let round = 1; round <= rounds; round++) {
          const found = await runBehindPools(
            get(),
            `${name}-${round}`,
            // A member that is there before and after: neither the primary nor who follows it.
            ({ standbys }) => ({ reconnecting: standbys[1]?.ip ?? "", alone: lone }),
            (settled) => strike({ ...scene, before: settled }),
          );
          times.push(found);
        }
        const of = (pool: "reconnecting" | "alone") => times.map((found) => found[pool]);
        const what = `behind PgBouncer: ${name}, longest time without a write`;
        keepSpread(target, `${what}, with RECONNECT`, of("reconnecting"), [50, 100]);
        keepSpread(target, `${what}, without`, of("alone"), [50, 100]);
        for (const [pod, count] of await reconnectsOf(get()))
          assert.ok(count - (before.get(pod) ?? 0) >= rounds, `${pod}: ${count} times RECONNECT`);
      });
    }
  });
}

/** How often the sidecar of each member has let PgBouncer reconnect. */
async function reconnectsOf({ kubectl, members }: Deployed): Promise<ReadonlyMap<string, number>> {
  const counts = (await members.pods()).map(async ({ name }): Promise<[string, number]> => {
    return [name, await sidecarMetric(kubectl, members.ref(name), RECONNECTS, { result: "done" })];
  });
  return new Map(await Promise.all(counts));
}
