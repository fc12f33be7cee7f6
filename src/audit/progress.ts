/** Nobody wonders before that. Milliseconds. */
const LONG_MS = 2000;

/** Says what is under way, once it takes long enough for people to wonder. */
export interface Progress {
  now(what: string): void;
  end(): void;
}

export function slowProgress(say: (what: string) => void, longMs = LONG_MS): Progress {
  let current: string | undefined;
  let isLong = false;
  const timer = setTimeout(() => {
    isLong = true;
    if (current !== undefined) say(current);
  }, longMs);
  timer.unref();
  return {
    now: (what) => {
      current = what;
      if (isLong) say(what);
    },
    end: () => clearTimeout(timer),
  };
}
