import { setImmediate as nextTurn } from "node:timers/promises";
import { Samples } from "../statistics.ts";
import { Connection, type Endpoint, requestBytes } from "./connection.ts";

/** How requests come: as fast as the answers do, or at a pace of their own. */
export type Load =
  | { readonly kind: "closed"; readonly connections: number }
  | { readonly kind: "paced"; readonly connections: number; readonly perSecond: number };

export interface Driven {
  /** Milliseconds from the moment a request was due to the last byte of its answer. */
  readonly latencies: Samples;
  /** Milliseconds by which the client itself sent late, although a connection was free: its own error. */
  readonly lateness: Samples;
  readonly elapsedSeconds: number;
}

export interface Target {
  readonly endpoint: Endpoint;
  readonly body: Buffer;
}

/** Opens the connections, hands them to `measure`, and closes them however it ends. */
export async function withConnections<Result>(
  endpoint: Endpoint,
  count: number,
  measure: (connections: readonly Connection[]) => Promise<Result>,
): Promise<Result> {
  const connections: Connection[] = [];
  try {
    while (connections.length < count) connections.push(await Connection.open(endpoint));
    return await measure(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/**
 * Drives a server for some time over connections that stand already.
 *
 * @throws Error on the first answer that is not 200, and on the first connection that breaks
 */
export function drive(
  connections: readonly Connection[],
  { endpoint, body }: Target,
  load: Load,
  seconds: number,
): Promise<Driven> {
  const request = requestBytes(endpoint, body);
  return load.kind === "closed"
    ? closedLoop(connections, request, seconds)
    : pacedLoop(connections, request, load.perSecond, seconds);
}

/** Each connection sends its next request as soon as it has the answer to the one before. */
async function closedLoop(
  connections: readonly Connection[],
  request: Buffer,
  seconds: number,
): Promise<Driven> {
  const latencies = new Samples();
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    connections.map(async (connection) => {
      for (let sent = performance.now(); sent < end; ) {
        await answered(connection, request);
        const now = performance.now();
        latencies.add(now - sent);
        sent = now;
      }
    }),
  );
  return { latencies, lateness: new Samples(), elapsedSeconds: (performance.now() - start) / 1000 };
}

/**
 * Requests are due at even intervals, whether or not the server keeps up, and their latency counts from when they were
 * due: a stall is felt by every request that it delays, not only by the one that met it. Between two requests the client
 * polls instead of sleeping, for a timer of a millisecond would blur what is to be measured.
 */
async function pacedLoop(
  connections: readonly Connection[],
  request: Buffer,
  perSecond: number,
  seconds: number,
): Promise<Driven> {
  const latencies = new Samples();
  const lateness = new Samples();
  const free = [...connections];
  const total = Math.round(perSecond * seconds);
  const start = performance.now();
  const dueAt = (index: number) => start + (index * 1000) / perSecond;
  let failure: unknown;
  let freeSince = start;

  const send = async (connection: Connection, due: number) => {
    await answered(connection, request);
    const now = performance.now();
    latencies.add(now - due);
    if (free.length === 0) freeSince = now;
    free.push(connection);
  };
  for (let index = 0; latencies.count < total; await nextTurn()) {
    if (failure !== undefined) throw failure;
    while (index < total && dueAt(index) <= performance.now()) {
      const connection = free.pop();
      if (connection === undefined) break;
      const due = dueAt(index++);
      lateness.add(performance.now() - Math.max(due, freeSince));
      send(connection, due).catch((error: unknown) => {
        failure ??= error;
      });
    }
  }
  return { latencies, lateness, elapsedSeconds: (performance.now() - start) / 1000 };
}

async function answered(connection: Connection, request: Buffer): Promise<void> {
  const status = await connection.exchange(request);
  if (status !== 200) throw new Error(`answered with status ${status}`);
}
