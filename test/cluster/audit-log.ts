import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "../../src/json/value.ts";

/** How much of each request an audit event holds; audit annotations are in all of them. */
export type AuditLevel = "Metadata" | "Request" | "RequestResponse";

export interface AuditLog {
  readonly flags: readonly string[];
  /** The events so far, oldest first, in the API server's own form (audit.k8s.io/v1 Event). */
  events(): Promise<JsonObject[]>;
}

/** Writes a policy for the API server: one event for each finished request. The log is written before the answer. */
export async function createAuditLog(folder: string, level: AuditLevel): Promise<AuditLog> {
  const policyFile = join(folder, "audit-policy.json");
  const logFile = join(folder, "audit.log");
  const policy = {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level }],
  };
  await writeFile(policyFile, JSON.stringify(policy));
  return {
    flags: [
      `--audit-policy-file=${policyFile}`,
      `--audit-log-path=${logFile}`,
      "--audit-log-mode=blocking-strict",
    ],
    async events() {
      const lines = (await readFile(logFile, "utf8")).split("\n");
      return lines.slice(0, -1).map((line) => JSON.parse(line) as JsonObject); // the last is empty or unfinished
    },
  };
}
