import { connect } from "node:net";
import { askPatroni, PATRONI_TIMEOUT_MS, type RestTarget } from "./rest.ts";
import { type MemberStatus, readStatus } from "./status.ts";
import { isTlsError } from "./tls.ts";

/** Where a member's two ports are, and how its REST API is spoken to. */
export interface ProbeTarget extends RestTarget {
  readonly postgresPort: number;
}

/** What came of asking a member once. Times are milliseconds of the process's monotonic clock. */
export type ProbeResult =
  | { readonly kind: "answered"; readonly sentAt: number; readonly status: MemberStatus }
  /** Patroni's port refuses connections; `postgres` tells of PostgreSQL's port. */
  | { readonly kind: "refused"; readonly sentAt: number; readonly postgres: "refused" | "open" | "unknown" }
  /** No answer in time, or none that can be read; `isTls`: the certificates are to blame. */
  | { readonly kind: "silent"; readonly sentAt: number; readonly error: string; readonly isTls: boolean };

/** `GET` of one of Patroni's health paths. Never rejects. */
export async function probe(target: ProbeTarget, path: "/primary" | "/health"): Promise<ProbeResult> {
  const sentAt = performance.now();
  try {
    const { code, body } = await askPatroni(target, path);
    return { kind: "answered", sentAt, status: readStatus(code, body) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ECONNREFUSED") return { kind: "silent", sentAt, error: message, isTls: isTlsError(code) };
    return { kind: "refused", sentAt, postgres: await knock(target) };
  }
}

/** Whether anybody still listens on PostgreSQL's port. */
function knock({ host, postgresPort }: ProbeTarget): Promise<"refused" | "open" | "unknown"> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: postgresPort });
    const end = (answer: "refused" | "open" | "unknown"): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PATRONI_TIMEOUT_MS, () => end("unknown"));
    socket.on("connect", () => end("open"));
    socket.on("error", ({ code }: NodeJS.ErrnoException) =>
      end(code === "ECONNREFUSED" ? "refused" : "unknown"),
    );
  });
}
