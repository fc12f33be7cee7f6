import { setTimeout as delay } from "node:timers/promises";
import { failed, messageOf, type Outcome } from "../outcome.ts";
import { isPassing, withGrace } from "../retry.ts";
import { departures } from "./departures.ts";
import { faultsOf, findingsOf, judge, judgeWithDcs, unproven } from "./evidence.ts";
import { PatroniRefusal, type PatroniReload } from "./patroni-reload.ts";
import { type PostgresConnection, PostgresSession } from "./session.ts";

/** Patroni's round comes within its `loop_wait` (10 s by default) even where it cannot be woken. Milliseconds. */
const PROOF_WITHIN_MS = 25_000;

/** Woken, Patroni reloads in tens of milliseconds: faults that are there this long after are of the new files. Milliseconds. */
const SETTLED_AFTER_MS = 3000;

/** A wake can be lost: Patroni clears it when its rest ends. Milliseconds. */
const WAKE_EVERY_MS = 1000;

/**
 * Patroni writes its file in place: PostgreSQL may be asked in the middle of it, and find settings missing. What is not clean is looked
 * at again this long after. Milliseconds.
 */
const CONFIRMED_AFTER_MS = 200;

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
  let last = { findings: "", since: began };
  for (let pause = PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    const now = performance.now();
    const isLast = now + pause > began + proofWithinMs;
    const hasSettled = wasWoken && now - began > SETTLED_AFTER_MS;
    try {
      const shown = await session.shown();
      const findings = findingsOf(shown);
      if (findings !== last.findings) last = { findings, since: now };
      const isConfirmed = findings === "" || isLast || now - last.since >= CONFIRMED_AFTER_MS;
      const verdict = isConfirmed ? judge(shown, version, needsMarker) : undefined;
      const whole =
        verdict?.kind === "proven" && needsMarker
          ? judgeWithDcs(verdict, await departures(session, patroni, version), hasSettled || isLast)
          : verdict;
      if (whole !== undefined) return whole;
      if (isLast || (hasSettled && isConfirmed && faultsOf(shown).length > 0))
        return unproven(shown, version);
    } catch (error) {
      return failed(
        "reload-unproven",
        `it cannot be asked whether PostgreSQL has loaded: ${messageOf(error)}`,
      );
    }
    if (now > wakeAt) {
      wasWoken = (await wake(patroni)) || wasWoken;
      wakeAt = now + WAKE_EVERY_MS;
    }
    await delay(pause);
  }
}
