import { setTimeout as delay } from "node:timers/promises";
import { Program } from "../../../demo/program.ts";
import type { Balancer } from "./balancer.ts";

/** A replica of `serve` behind a balancer. */
export interface Replica {
  readonly program: Program;
  readonly port: number;
}

/** Milliseconds: a replica that is started, and one that is drained. */
const START_MS = 30_000;
const STOP_MS = 30_000;

/** Starts a replica and waits until it is in service. @param options of `serve` */
export async function startReplica(balancer: Balancer, options: readonly string[]): Promise<Replica> {
  const program = new Program(["serve", ...options]);
  try {
    const { webhook, operations } = (await program.said("listening", START_MS)) as unknown as Record<
      "webhook" | "operations",
      { port: number }
    >;
    balancer.add({ port: webhook.port, operationsPort: operations.port });
    const deadline = performance.now() + START_MS;
    while (!balancer.inService.includes(webhook.port)) {
      if (performance.now() > deadline) throw new Error("a replica did not become ready");
      await delay(20);
    }
    return { program, port: webhook.port };
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/** Replaces every replica as a Deployment does: first a new one, then SIGTERM to an old one, one after the other. */
export async function rollingRestart(
  balancer: Balancer,
  replicas: Replica[],
  options: readonly string[],
): Promise<void> {
  for (const old of [...replicas]) {
    replicas.push(await startReplica(balancer, options));
    await old.program.stop(STOP_MS);
    balancer.remove(old.port);
    replicas.splice(replicas.indexOf(old), 1);
  }
}
