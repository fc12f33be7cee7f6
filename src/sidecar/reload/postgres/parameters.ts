import type { Json, JsonObject } from "../../../json/value.ts";
import { DECIDED_BY_PATRONI, GONE_SINCE, SET_BY_DCS_ALONE } from "./patronis-own.ts";
import { isOutOfRange, isSameValue, type ParameterKind } from "./values.ts";

/** An entry of PostgreSQL's files, as it has read it (`pg_file_settings`), in their order. */
export interface Written extends ParameterKind {
  readonly name: string;
  readonly value: string;
  /** It stands in the file that Patroni writes, and not in one that is included or that ALTER SYSTEM writes. */
  readonly byPatroni: boolean;
}

/** How a configuration of the DCS and what PostgreSQL shows differ. */
export interface Departures {
  /** In words: what was asked for and is refused. */
  readonly faults: readonly string[];
  /** In words, the name first: what something else decides than the DCS. */
  readonly unverified: readonly string[];
}

/**
 * Compares the parameters of Patroni's DCS with those that Patroni wrote. It leaves out what it holds for invalid, and writes its own
 * limit in the place of a number that is too large or too small, and tells both in its log only. Names are told, and no values: a
 * value may hold a password.
 *
 * @param major PostgreSQL's major version
 */
export function compareParameters(
  wanted: JsonObject,
  written: readonly Written[],
  major: number,
): Departures {
  const faults: string[] = [];
  const unverified: string[] = [];
  const inForce = lastOf(written);
  const patronis = lastOf(written.filter(({ byPatroni }) => byPatroni));
  for (const [name, value] of Object.entries(wanted)) {
    if (value === null || value === undefined) continue;
    const key = name.toLowerCase();
    const [entry, last] = [patronis.get(key), inForce.get(key)];
    if (entry !== undefined && isWrittenAs(value, entry)) {
      if (last !== entry && !isSameValue(entry.value, last?.value ?? "", entry))
        unverified.push(`${name}: ALTER SYSTEM says otherwise`);
    } else if (DECIDED_BY_PATRONI.has(key)) unverified.push(`${name}: Patroni decides on it`);
    else if (entry !== undefined && isRefused(key, value, entry))
      faults.push(`Patroni does not take this value of ${name}, and writes another`);
    else if (entry !== undefined)
      unverified.push(`${name}: Patroni writes another value, as that of the member's own configuration`);
    else if (major >= (GONE_SINCE[key] ?? Number.POSITIVE_INFINITY))
      unverified.push(`${name}: PostgreSQL ${major} does not have it any more`);
    else
      faults.push(
        `Patroni leaves ${name} out of postgresql.conf: it holds its name or its value for invalid`,
      );
  }
  return { faults, unverified };
}

const lastOf = (written: readonly Written[]): ReadonlyMap<string, Written> =>
  new Map(written.map((entry) => [entry.name.toLowerCase(), entry]));

const isRefused = (key: string, value: Json, entry: Written): boolean =>
  SET_BY_DCS_ALONE.has(key) || isOutOfRange(String(value), entry);

/** Patroni writes values as Python does: `True`, and `1.0` where it was no whole number, which JSON.parse does not tell. */
function isWrittenAs(value: Json, entry: Written): boolean {
  if (typeof value === "boolean" && String(value) === entry.value.toLowerCase()) return true;
  if (typeof value === "number" && entry.value.trim() !== "" && Number(entry.value) === value) return true;
  return typeof value !== "object" && isSameValue(String(value), entry.value, entry);
}
