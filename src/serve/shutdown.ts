/** When to stop, as the process is told by signals. */
export interface Shutdown {
  /** Aborted by the first SIGTERM or SIGINT: finish what is under way. */
  readonly requested: AbortSignal;
  /** Aborted by the second: end at once. */
  readonly atOnce: AbortSignal;
  /** Leaves signals to their defaults again. */
  dispose(): void;
}

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

export function shutdownBySignals(target: NodeJS.Process): Shutdown {
  const requested = new AbortController();
  const atOnce = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (requested.signal.aborted) atOnce.abort(signal);
    else requested.abort(signal);
  };
  for (const signal of SIGNALS) target.on(signal, onSignal);
  return {
    requested: requested.signal,
    atOnce: atOnce.signal,
    dispose() {
      for (const signal of SIGNALS) target.off(signal, onSignal);
    },
  };
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
