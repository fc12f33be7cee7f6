import { at, type Json } from "../../json/value.ts";
import type { Seen } from "../need.ts";
import type { Place } from "./config-maps.ts";
import type { Local } from "./local.ts";
import { spiloStandby } from "./user.ts";

/** The rules by which a member's PostgreSQL lets in who replicates, and where they stand. */
export interface Rules {
  readonly lines: readonly string[];
  /** In words. */
  readonly from: string;
  /** Undefined where they stand in the dynamic configuration or in the image. */
  readonly place: Place | undefined;
}

/** What the DCS holds, or will. */
export interface Dynamic {
  readonly configuration: unknown;
  readonly name: string;
  readonly place: Place | undefined;
  /** The cluster is yet to be made: what `bootstrap` says counts. */
  readonly isNew: boolean;
}

/** For a cluster that is yet to be made, Patroni writes what its own configuration says into the DCS. */
export const dynamicOfNew = (local: Local): Dynamic => {
  const place = local.placeOf("bootstrap", "dcs");
  return {
    configuration: at(local.configuration, "bootstrap", "dcs") ?? {},
    name: `bootstrap.dcs in ${place?.name}`,
    place,
    isNew: true,
  };
};

const HBA = ["postgresql", "pg_hba"] as const;
const HBA_FILE = ["postgresql", "parameters", "hba_file"] as const;

/**
 * As Patroni merges them: a key of the local configuration counts, whatever it holds, before the dynamic one (config.py,
 * `_build_effective_configuration`); where neither holds a rule, or `hba_file` is set, PostgreSQL keeps the file that it has
 * (postgresql/config.py, `replace_pg_hba`). Spilo puts the rules of its template where the user's hold none (configure_spilo.py,
 * `deep_update`), so that the dynamic ones never count there.
 */
export function rulesOf(local: Local, dynamic: Dynamic): Seen<Rules> {
  const own = (path: readonly string[]): Json | undefined => at(local.configuration, ...path);
  const given = (path: readonly string[]): Json | undefined => at(dynamic.configuration, ...path);
  const file = own(HBA_FILE) === undefined ? given(HBA_FILE) : own(HBA_FILE);
  if (isFilled(file)) return { unseen: `hba_file is ${String(file)}: Patroni does not write it` };

  const place = local.placeOf(...HBA);
  const mine = own(HBA);
  if (isFilled(mine)) return listed(mine, `postgresql.pg_hba in ${place?.name}`, place);
  if (local.flavour === "spilo" && !Array.isArray(mine))
    return { value: { lines: spiloRules(local), from: "Spilo's own template", place: undefined } };
  if (mine === undefined && isFilled(given(HBA)))
    return listed(given(HBA), `postgresql.pg_hba in ${dynamic.name}`, dynamic.place);
  if (dynamic.isNew) return rulesOfNew(local);
  return mine === undefined
    ? { unseen: "pg_hba is not in the dynamic configuration" }
    : { unseen: `pg_hba is empty in ${place?.name}: PostgreSQL keeps the file that it has` };
}

/**
 * Behind the rules of `initdb`, which lets in for replication only who is on the same host, Patroni puts those of `bootstrap.pg_hba`
 * (postgresql/bootstrap.py); a script, or a method of the user's own, may write others.
 */
function rulesOfNew({ configuration, placeOf }: Local): Seen<Rules> {
  const place = placeOf("bootstrap", "pg_hba") ?? placeOf();
  if (place === undefined) return { unseen: "pg_hba stands in none of these manifests" };
  const bootstrap = at(configuration, "bootstrap");
  const method = at(bootstrap, "method");
  const script = ["post_init", "post_bootstrap"].find((name) => isFilled(at(bootstrap, name)));
  const made = isFilled(method) && method !== "initdb" ? `method: ${String(method)}` : script;
  if (made !== undefined) return { unseen: `which pg_hba.conf bootstrap.${made} leaves cannot be told` };
  const more = at(bootstrap, "pg_hba");
  if (isFilled(more)) return listed(more, `bootstrap.pg_hba in ${place.name}`, place);
  return { value: { lines: [], from: `initdb, as ${place.name} has no pg_hba`, place } };
}

function listed(rules: unknown, from: string, place: Place | undefined): Seen<Rules> {
  if (!Array.isArray(rules)) return { unseen: `${from} is no list` };
  return { value: { lines: rules.map(String), from, place } };
}

/** As Python has it. */
const isFilled = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);

/** Those that are of use to who replicates over TCP. Where no other user is configured, it is the very one that they name. */
function spiloRules(local: Local): string[] {
  const isOther = isFilled(
    at(local.configuration, "postgresql", "authentication", "replication", "username"),
  );
  const user = spiloStandby(local) ?? (isOther ? "{{PGUSER_STANDBY}}" : "all");
  return [`hostssl replication ${user} all md5`];
}
