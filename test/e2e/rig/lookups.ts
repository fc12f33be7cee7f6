import { text } from "node:stream/consumers";
import { type Lookup, parseLookups } from "../analysis/lookups.ts";
import { ended, type Kubectl, type PodRef } from "./kubectl.ts";

// Ends by itself: what runs in a container may outlive the call that started it.
const TIMES = 1500;

/** Looks a name up five times a second in a pod, until it is stopped. */
export class Lookups {
  readonly #child: ReturnType<Kubectl["start"]>;
  readonly #output: Promise<string>;

  constructor(kubectl: Kubectl, { namespace, name: pod, container }: PodRef, name: string) {
    const lookup = `getent ahostsv4 ${name} | awk '/STREAM/ {print $1}' | xargs`;
    const loop = `for n in $(seq ${TIMES}); do echo "$(date +%s.%N) $(${lookup})"; sleep 0.2; done`;
    this.#child = kubectl.start([
      "exec",
      `--namespace=${namespace}`,
      pod,
      `--container=${container ?? ""}`,
      "--",
      "sh",
      "-c",
      loop,
    ]);
    this.#child.stderr.resume();
    this.#output = text(this.#child.stdout);
  }

  /** What it found. May be called again. */
  async stop(): Promise<Lookup[]> {
    await ended(this.#child);
    const output = await this.#output;
    return parseLookups(output.slice(0, output.lastIndexOf("\n") + 1));
  }
}
