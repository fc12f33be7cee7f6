import { isDeepStrictEqual } from "node:util";
import { isObject } from "../json/value.ts";
import type { Config } from "./schema.ts";

/** What is bound once, at the start: the sockets, the certificate's names with what is registered of them, the controller. */
const NEEDS_RESTART = [
  ...["host", "port", "certificates", "clientCA", "registration"].map((key) => `webhook.${key}`),
  "operations",
  "controller",
  "watchNamespaces",
];

export interface Change {
  /** The path of the key. */
  readonly key: string;
  /** The process goes on with the old value until it is started anew. */
  readonly needsRestart: boolean;
}

/** The keys whose values differ, the deepest that tell; lists count as values. */
export function changesBetween(before: Config, after: Config): Change[] {
  return differing(before, after, "").map((key) => ({
    key,
    needsRestart: NEEDS_RESTART.some((bound) => key === bound || key.startsWith(`${bound}.`)),
  }));
}

/** What counts while a process runs that was started with `started`: a new configuration, but for what is bound. */
export function inForce(next: Config, started: Config): Config {
  const { host, port, certificates, clientCA, registration } = started.webhook;
  const { operations, controller, watchNamespaces } = started;
  const bound = { host, port, certificates, clientCA, registration };
  return { ...next, operations, controller, watchNamespaces, webhook: { ...next.webhook, ...bound } };
}

function differing(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [path];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => differing(before[key], after[key], path === "" ? key : `${path}.${key}`));
}
