import { asString, at, objectsIn } from "../../json/value.ts";
import { envEntry, knownEnvValue } from "../../patroni/env.ts";
import { isTemplate } from "../pg-hba.ts";
import type { Local } from "./local.ts";

/** As whom a member connects for replication; undefined where that is not known. */
export function replicationUser(local: Local): string | undefined {
  const configured = at(local.configuration, "postgresql", "authentication", "replication", "username");
  if (local.flavour === "spilo") return configured ? literal(configured) : spiloStandby(local);
  // What Patroni's environment does not set, its file does; what it may set, nobody knows.
  const set = local.underEnvironment ? variable(local, "PATRONI_REPLICATION_USERNAME") : { value: undefined };
  return set === undefined ? undefined : (set.value ?? literal(configured));
}

/** Of Spilo's own template: whom its rules let in, too. */
export function spiloStandby(local: Local): string | undefined {
  const set = variable(local, "PGUSER_STANDBY");
  return set === undefined ? undefined : (set.value ?? "standby");
}

/** Undefined where the variable is or may be set, to what is not known. */
function variable({ pod, container }: Local, name: string): { value: string | undefined } | undefined {
  if (envEntry(container, name) === undefined)
    return objectsIn(container.envFrom).length === 0 ? { value: undefined } : undefined;
  const value = knownEnvValue(pod, container, name);
  return value === undefined ? undefined : { value: literal(value) };
}

const literal = (value: unknown): string | undefined =>
  isTemplate(String(value)) ? undefined : asString(value) || undefined;
