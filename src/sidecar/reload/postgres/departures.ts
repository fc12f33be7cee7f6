import { VERSION_SETTING } from "../../../contract/reload.ts";
import { asObject, at } from "../../../json/value.ts";
import { isPassing, withGrace } from "../retry.ts";
import { isReadFrom } from "./hba.ts";
import { compareParameters, type Departures } from "./parameters.ts";
import type { PatroniReload } from "./patroni-reload.ts";
import type { PostgresSession } from "./session.ts";

/**
 * Compares the PostgreSQL part of Patroni's DCS with what PostgreSQL has read.
 *
 * @returns undefined where the DCS holds another version by now
 * @throws where one of the two cannot be asked
 */
export async function departures(
  session: PostgresSession,
  patroni: Pick<PatroniReload, "configuration">,
  version: number,
): Promise<Departures | undefined> {
  const wanted = at(await withGrace(() => patroni.configuration(), isPassing), "postgresql");
  const parameters = asObject(at(wanted, "parameters")) ?? {};
  if (Number(parameters[VERSION_SETTING]) !== version) return undefined;
  const { faults, unverified } = compareParameters(parameters, await session.written(), session.major);
  const hba = at(wanted, "pg_hba");
  const isOther = Array.isArray(hba) && !isReadFrom(linesOf(hba), await session.hbaRules());
  return {
    faults,
    unverified: [
      ...unverified,
      ...(isOther ? ["pg_hba: PostgreSQL shows other rules"] : []),
      ...(at(wanted, "pg_ident") === undefined ? [] : ["pg_ident"]),
    ],
  };
}

/** Patroni passes over what is no text. */
const linesOf = (lines: readonly unknown[]): string[] =>
  lines.filter((line): line is string => typeof line === "string");
