const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** What the first SIGINT or SIGTERM aborts. A second one ends the process. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Signals do again what they do by default. */
  end(): void;
}

/** @param signals where signals are told. As process 1 of a container a program without a handler is not ended by these signals at all. */
export function interruption(signals: NodeJS.EventEmitter = process): Interruption {
  const controller = new AbortController();
  const interrupt = (name: NodeJS.Signals): void => {
    end();
    controller.abort(new Error(`interrupted by ${name}`));
  };
  const end = (): void => {
    for (const name of SIGNALS) signals.off(name, interrupt);
  };
  for (const name of SIGNALS) signals.on(name, interrupt);
  return { signal: controller.signal, end };
}
