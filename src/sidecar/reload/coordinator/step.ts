import type { Answer, Effect, Event, State, Waiter } from "./state.ts";

/** More calls than this do not wait at a time. */
export const MOST_WAITERS = 256;

/**
 * What an event leads to. Of one component:
 * - one reload runs at a time, and only while somebody waits for a version that is in the pod;
 * - a reload that ends answers everybody who waits for its version or a lower one, whenever they came;
 * - a reload during which the version in the pod changed proves nothing of either: it runs again for those who still wait;
 * - who waits for a version that was in the pod and gave way to a lower one is told so at once;
 * - nobody waits past the deadline, and everybody is answered exactly once, unless they leave.
 */
export function step<Success, Failure>(
  before: State<Failure>,
  event: Event<Success, Failure>,
  now: number,
): { readonly state: State<Failure>; readonly effects: readonly Effect<Success, Failure>[] } {
  const effects: Effect<Success, Failure>[] = [];
  let state = before;
  const answer = (to: Waiter, given: Answer<Success, Failure> | undefined): boolean => {
    if (given !== undefined) effects.push({ kind: "answer", id: to.id, answer: given });
    return given === undefined;
  };
  const answerSome = (answerFor: (waiter: Waiter) => Answer<Success, Failure> | undefined): void => {
    state = { ...state, waiters: state.waiters.filter((waiter) => answer(waiter, answerFor(waiter))) };
  };

  switch (event.kind) {
    case "asked":
      if (state.waiters.length >= MOST_WAITERS)
        answer(event.waiter, { kind: "busy", running: state.running?.version });
      else state = { ...state, waiters: [...state.waiters, event.waiter] };
      break;
    case "left":
      state = { ...state, waiters: state.waiters.filter(({ id }) => id !== event.id) };
      break;
    case "seen":
      state = seeing(state, event.version);
      break;
    case "ended": {
      const { running: run } = state;
      state = { ...state, running: undefined };
      if (run === undefined) break;
      const result = run.disturbed ? undefined : event.result;
      effects.push({ kind: "concluded", version: run.version, result });
      if (result === undefined) break;
      const given: Answer<Success, Failure> =
        result.kind === "proven"
          ? { kind: "applied", version: run.version, success: result.success }
          : { kind: "failed", failure: result.failure };
      state =
        result.kind === "proven"
          ? { ...state, applied: run.version, failure: undefined }
          : { ...state, failure: result.failure };
      answerSome(({ version }) => (version <= run.version ? given : undefined));
      break;
    }
    case "passed":
      break;
  }

  answerSome((waiter) => superseded(state, waiter));
  answerSome((waiter) => (waiter.deadline <= now ? overdue(state, waiter) : undefined));
  const { materialised, running, waiters } = state;
  if (running === undefined && materialised !== undefined && waiters.some((w) => w.version <= materialised)) {
    effects.push({ kind: "start", version: materialised });
    state = { ...state, running: { version: materialised, disturbed: false } };
  }
  return { state, effects };
}

/** When the next waiter's time is up. */
export const nextDeadline = ({ waiters }: State<unknown>): number | undefined =>
  waiters.length === 0 ? undefined : Math.min(...waiters.map(({ deadline }) => deadline));

function seeing<Failure>(state: State<Failure>, version: number | undefined): State<Failure> {
  const highest = version === undefined ? state.highest : Math.max(version, state.highest ?? version);
  const { running } = state;
  const disturbed = running !== undefined && (running.disturbed || running.version !== version);
  return { ...state, materialised: version, highest, running: running && { ...running, disturbed } };
}

function superseded<Failure>({ materialised, highest }: State<Failure>, { version }: Waiter) {
  if (materialised === undefined || highest === undefined) return undefined;
  return version > materialised && version <= highest
    ? ({ kind: "superseded", materialised, highest } as const)
    : undefined;
}

function overdue<Failure>({ materialised, running }: State<Failure>, { version }: Waiter) {
  if (materialised === undefined || version > materialised)
    return { kind: "not-materialised", materialised } as const;
  return running !== undefined && running.version < version
    ? ({ kind: "busy", running: running.version } as const)
    : ({ kind: "late" } as const);
}
