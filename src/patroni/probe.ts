import { type IncomingMessage, get as plainGet } from "node:http";
import { type RequestOptions, get as secureGet } from "node:https";
import { connect } from "node:net";
import { type MemberStatus, readStatus } from "./status.ts";

/** Patroni answers from memory and one SQL query; what takes longer is no answer. Milliseconds. */
const TIMEOUT_MS = 1000;

/** A member's status is a few kilobytes. */
const LARGEST_BODY = 256 * 1024;

/** Where a member's two ports are, and how its REST API is spoken to. */
export interface ProbeTarget {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly postgresPort: number;
  readonly tls: Pick<RequestOptions, "ca" | "cert" | "key" | "servername">;
}

/** What came of asking a member once. Times are milliseconds of the process's monotonic clock. */
export type ProbeResult =
  | { readonly kind: "answered"; readonly sentAt: number; readonly status: MemberStatus }
  /** Patroni's port refuses connections; `postgres` tells of PostgreSQL's port. */
  | { readonly kind: "refused"; readonly sentAt: number; readonly postgres: "refused" | "open" | "unknown" }
  /** No answer in time, or none that can be read. */
  | { readonly kind: "silent"; readonly sentAt: number; readonly error: string };

/** `GET` of one of Patroni's health paths. Never rejects. */
export async function probe(target: ProbeTarget, path: "/primary" | "/health"): Promise<ProbeResult> {
  const sentAt = performance.now();
  try {
    const { code, text } = await answerOf(target, path);
    return { kind: "answered", sentAt, status: readStatus(code, parsed(text)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ECONNREFUSED") return { kind: "silent", sentAt, error: message };
    return { kind: "refused", sentAt, postgres: await knock(target) };
  }
}

function answerOf(target: ProbeTarget, path: string): Promise<{ code: number; text: string }> {
  const { scheme, host, port, tls } = target;
  // Patroni speaks HTTP/1.0: a connection a request.
  const options: RequestOptions = { host, port, path, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) };
  return new Promise((resolve, reject) => {
    const take = (response: IncomingMessage): void => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LARGEST_BODY) response.destroy(new Error("the answer is too large"));
      });
      response.on("error", reject);
      response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
    };
    const call = scheme === "http" ? plainGet(options, take) : secureGet({ ...options, ...tls }, take);
    call.on("error", reject);
  });
}

/** Whether anybody still listens on PostgreSQL's port. */
function knock({ host, postgresPort }: ProbeTarget): Promise<"refused" | "open" | "unknown"> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: postgresPort });
    const end = (answer: "refused" | "open" | "unknown"): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIMEOUT_MS, () => end("unknown"));
    socket.on("connect", () => end("open"));
    socket.on("error", ({ code }: NodeJS.ErrnoException) =>
      end(code === "ECONNREFUSED" ? "refused" : "unknown"),
    );
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
