import { readStatus } from "../../../src/patroni/status.ts";
import type { Observation } from "../../../src/primary/standing.ts";
import type { SidecarConfig } from "../../../src/sidecar/settings.ts";

/** The settings of a sidecar beside `pg-0`, with changes. */
export function config(changes: Partial<SidecarConfig> = {}): SidecarConfig {
  return {
    pod: { namespace: "db", name: "pg-0", uid: "u0", nodeName: "node" },
    addresses: ["10.0.0.1"],
    cluster: "pg",
    primaryService: "pg-primary",
    port: 8010,
    postgresPort: 5432,
    patroni: {
      scheme: "http",
      host: "10.0.0.1",
      port: 8008,
      name: undefined,
      caDir: undefined,
      clientDir: undefined,
    },
    tokenDir: "/token",
    leaderObject: undefined,
    discovery: true,
    reload: false,
    reconnect: false,
    logLevel: "info",
    ...changes,
  };
}

/** An answer of Patroni. */
export const answered = (
  code: number,
  role: string | undefined,
  state: string,
  more: object = {},
): Observation => ({
  kind: "answered",
  sentAt: 0,
  status: readStatus(code, { role, state, timeline: 4, database_system_identifier: "7", ...more }),
});
