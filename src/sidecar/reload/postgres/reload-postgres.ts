import { setTimeout as delay } from "node:timers/promises";
import { failed, messageOf, type Outcome } from "../outcome.ts";
import { isPassing, withGrace } from "../retry.ts";
import { faultsOf, judge, type Shown, unproven } from "./evidence.ts";
import { PatroniRefusal, type PatroniReload } from "./patroni-reload.ts";
import { type PostgresConnection, PostgresSession } from "./session.ts";

/** Patroni's round comes within its `loop_wait` (10 s by default) even where it cannot be woken. Milliseconds. */
const PROOF_WITHIN_MS = 25_000;

/** Woken, Patroni reloads in tens of milliseconds: faults that are there this long after are of the new files. Milliseconds. */
const SETTLED_AFTER_MS = 3000;

/** A wake can be lost: Patroni clears it when its rest ends. Milliseconds. */
const WAKE_EVERY_MS = 1000;

const PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;

export interface PostgresReloadOptions {
  readonly patroni: PatroniReload;
  /** Undefined: nothing can be proven. */
  readonly connection: PostgresConnection | undefined;
  /** The version comes from Patroni's DCS. */
  readonly needsMarker: boolean;
  /** Default: 25 s. */
  readonly proofWithinMs?: number;
}

/**
 * Reloads PostgreSQL through Patroni, which owns its files, and proves by SQL that it happened: Patroni notes a reload and does not
 * tell of its end. Never rejects.
 */
export async function reloadPostgres(version: number, options: PostgresReloadOptions): Promise<Outcome> {
  const { patroni, connection } = options;
  if (connection === undefined) return (await schedule(patroni)) ?? NO_CONNECTION;
  let session: PostgresSession;
  try {
    session = await withGrace(() => PostgresSession.open(connection), isPassing);
  } catch (error) {
    const why = `nothing was reloaded, for PostgreSQL cannot be asked for proof: ${messageOf(error)}`;
    return failed("reload-unproven", why);
  }
  try {
    return (await schedule(patroni)) ?? (await prove(session, version, options));
  } finally {
    await session.close();
  }
}

const NO_CONNECTION = failed(
  "reload-unproven",
  "Patroni has noted the reload; nothing tells whether PostgreSQL has loaded it, for no connection to it is configured",
);

/** @returns why nothing was scheduled */
async function schedule(patroni: PatroniReload): Promise<Outcome | undefined> {
  try {
    await withGrace(() => patroni.schedule(), isPassing);
  } catch (error) {
    const words = messageOf(error);
    return failed(
      "reload-rejected",
      error instanceof PatroniRefusal ? words : `Patroni does not answer: ${words}`,
    );
  }
  await wake(patroni);
  return undefined;
}

/** @returns whether Patroni was woken; where it was not, the reload comes at its next round */
const wake = (patroni: PatroniReload): Promise<boolean> =>
  patroni.wake().then(
    () => true,
    () => false,
  );

async function prove(
  session: PostgresSession,
  version: number,
  { patroni, needsMarker, proofWithinMs = PROOF_WITHIN_MS }: PostgresReloadOptions,
): Promise<Outcome> {
  const began = performance.now();
  let wakeAt = began + WAKE_EVERY_MS;
  let wasWoken = false;
  for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    let shown: Shown;
    try {
      shown = await session.shown();
    } catch (error) {
      return failed(
        "reload-unproven",
        `PostgreSQL cannot be asked whether it has loaded: ${messageOf(error)}`,
      );
    }
    const verdict = judge(shown, version, needsMarker);
    if (verdict !== undefined) return verdict;
    const now = performance.now();
    const hasSettled = wasWoken && now - began > SETTLED_AFTER_MS && faultsOf(shown).length > 0;
    if (hasSettled || now + pause > began + proofWithinMs) return unproven(shown, version);
    if (now > wakeAt) {
      wasWoken = (await wake(patroni)) || wasWoken;
      wakeAt = now + WAKE_EVERY_MS;
    }
    await delay(pause);
  }
}
