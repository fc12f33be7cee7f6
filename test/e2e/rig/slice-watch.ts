import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type SliceEvent, type SliceMoment, sliceMoments } from "../analysis/slice-record.ts";
import { ended, type Kubectl } from "./kubectl.ts";

/** Records what stands in a Service's EndpointSlices from the outside, by a watch of the suite's own. */
export class SliceWatch {
  readonly #events: SliceEvent[] = [];
  readonly #child: ReturnType<Kubectl["start"]>;
  #stopping = false;
  /** Why the watch ended, where it ended by itself. */
  #broken: string | undefined;

  /** `file` gets every event as a line. */
  constructor(kubectl: Kubectl, namespace: string, service: string, file: string) {
    const query = new URLSearchParams({
      watch: "true",
      labelSelector: `kubernetes.io/service-name=${service}`,
      timeoutSeconds: "7200",
    });
    this.#child = kubectl.start([
      "get",
      "--raw",
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?${query}`,
    ]);
    createInterface(this.#child.stdout).on("line", (line) => {
      const event = { atMs: Date.now(), ...(JSON.parse(line) as Pick<SliceEvent, "type" | "object">) };
      this.#events.push(event);
      appendFileSync(file, `${JSON.stringify(event)}\n`);
    });
    let said = "";
    this.#child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    this.#child.on("exit", () => {
      if (!this.#stopping) this.#broken = `the watch of the slice ended: ${said.trim()}`;
    });
  }

  /**
   * Every state so far. A record with a hole would prove nothing.
   *
   * @throws Error where the watch has ended by itself
   */
  moments(): SliceMoment[] {
    if (this.#broken !== undefined) throw new Error(this.#broken);
    return sliceMoments(this.#events);
  }

  /** The addresses that stand there now. */
  get now(): readonly string[] {
    return this.moments().at(-1)?.addresses ?? [];
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await ended(this.#child);
  }
}
