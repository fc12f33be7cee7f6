import type { PodFacts } from "../facts/pod.ts";

interface Run {
  readonly restarts: number;
  /** Milliseconds of the process's own clock. */
  readonly since: number;
}

/**
 * For how long each sidecar has been seen to run without a restart. On our own clock: that of the kubelet, which says when a
 * container was started, may be any.
 */
export class Steadiness {
  #runs = new Map<string, Run>();

  /** Looks at all pods there are. */
  see(pods: Iterable<Pick<PodFacts, "uid" | "container">>, now: number): void {
    const runs = new Map<string, Run>();
    for (const { uid, container } of pods) {
      if (container?.health !== "running") continue;
      const { restarts } = container;
      const known = this.#runs.get(uid);
      runs.set(uid, known?.restarts === restarts ? known : { restarts, since: now });
    }
    this.#runs = runs;
  }

  /** Milliseconds; 0 for one that does not run. */
  of(uid: string, now: number): number {
    const run = this.#runs.get(uid);
    return run === undefined ? 0 : now - run.since;
  }
}
