import { type Dcs, isOn, setting } from "./dcs.ts";

/** What the dynamic configuration asks for, as Patroni reads it (global_config.py). */
export interface SynchronousMode {
  /** As it is written. */
  readonly mode: string;
  readonly strict: boolean;
  /** So many standbys. */
  readonly nodes: number;
}

/** Undefined where it is off: also in a standby cluster, whatever is written there. */
export function synchronousMode(dcs: Dcs): SynchronousMode | undefined {
  const mode = setting(dcs, "synchronous_mode");
  if (!isOn(mode) && String(mode).toLowerCase() !== "quorum") return undefined;
  if (["host", "port", "restore_command"].some((key) => setting(dcs, "standby_cluster", key)))
    return undefined;
  const strict = isOn(setting(dcs, "synchronous_mode_strict"));
  const count = Number.parseInt(String(setting(dcs, "synchronous_node_count")), 10);
  return { mode: String(mode), strict, nodes: Number.isNaN(count) ? 1 : Math.max(count, strict ? 1 : 0) };
}

/**
 * Of standbys that Patroni calls synchronous those that PostgreSQL waits for. `quorum`: commits wait for as many of these as are asked
 * for, whichever they are.
 */
export const waitedFor = (names: readonly string[], senders: SendersByName): string[] =>
  names.filter((name) => {
    const sender = senders.get(name);
    return sender?.state === "streaming" && (sender.syncState === "sync" || sender.syncState === "quorum");
  });

type SendersByName = Extract<Dcs["senders"], { readonly value: unknown }>["value"];
