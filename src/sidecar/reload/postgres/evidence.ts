import { VERSION_SETTING } from "../../../contract/reload.ts";
import { type ConfigurationError, failed, type Outcome, proven } from "../outcome.ts";
import type { Departures } from "./parameters.ts";

/** What PostgreSQL shows, on one connection, after a reload was asked for. */
export interface Shown {
  /** It loaded its configuration files later than the reload was asked for (`pg_conf_load_time`). */
  readonly reloaded: boolean;
  /** The value of {@link VERSION_SETTING}; undefined where it is not set. */
  readonly marker: string | undefined;
  /** Of `pg_file_settings`, `pg_hba_file_rules` and `pg_ident_file_mappings`: lines that could not be applied. */
  readonly errors: readonly (ConfigurationError & { readonly setting: string | undefined })[];
  /** Settings of which the file says something else than what is in force until a restart. */
  readonly pendingRestart: readonly string[];
}

/** Patroni tells of it in its log only, and the sidecar cannot read all that makes up a member's own configuration. */
export const LEFT_OUT = "parameters that Patroni refuses";

/**
 * What is proven of a version: nothing yet (undefined), or how it stands.
 *
 * A setting that waits for a restart stands among the errors too, as "could not be applied": it is none. Faults count once the files
 * were loaded; before that they may be those of the files that Patroni is about to replace.
 *
 * @param needsMarker the version is that of the DCS: nothing but the marker tells that it is in force
 */
export function judge(shown: Shown, version: number, needsMarker: boolean): Outcome | undefined {
  if (!shown.reloaded) return undefined;
  const faults = faultsOf(shown);
  if (faults.length > 0)
    return failed("configuration-invalid", "PostgreSQL found faults in its files", faults);
  const unverified = needsMarker ? [] : [LEFT_OUT];
  if (shown.marker === undefined)
    return needsMarker ? undefined : proven("load-time", shown.pendingRestart, unverified);
  return Number(shown.marker) === version ? proven("marker", shown.pendingRestart, unverified) : undefined;
}

/**
 * What the configuration of the DCS adds to a proof by its marker.
 *
 * @param departures undefined where the DCS holds another version than what is proven
 * @param isFinal nothing of an older configuration is to be seen any more: before that, faults may be those of files that Patroni is
 *   about to replace
 */
export function judgeWithDcs(
  proof: Outcome,
  departures: Departures | undefined,
  isFinal: boolean,
): Outcome | undefined {
  if (proof.kind === "failed") return proof;
  if (departures === undefined)
    return failed("reload-unproven", "Patroni's DCS holds another version by now, or none");
  const { faults, unverified } = departures;
  if (faults.length === 0) return proven(proof.success.proof, proof.success.pendingRestart, unverified);
  const errors = faults.map((message) => ({ file: undefined, line: undefined, message }));
  return isFinal
    ? failed("configuration-invalid", "Patroni does not take all parameters of its DCS", errors)
    : undefined;
}

/** What is said when the time is over and {@link judge} has nothing to say. */
export function unproven(shown: Shown, version: number): Outcome {
  const faults = faultsOf(shown);
  // With a fault in its syntax no file is loaded at all, and the load time stays (ProcessConfigFileInternal).
  if (faults.length > 0) return failed("configuration-invalid", "PostgreSQL cannot load its files", faults);
  if (!shown.reloaded)
    return failed(
      "reload-unproven",
      "PostgreSQL has not loaded its configuration since the reload was asked for",
    );
  const marker = shown.marker === undefined ? "not set" : JSON.stringify(shown.marker);
  return failed(
    "reload-unproven",
    `PostgreSQL has loaded its files, and ${VERSION_SETTING} is ${marker}, not ${version}`,
  );
}

export const faultsOf = ({ errors, pendingRestart }: Shown): readonly ConfigurationError[] =>
  errors
    .filter(({ setting }) => setting === undefined || !pendingRestart.includes(setting))
    .map(({ file, line, message }) => ({ file, line, message }));

/** What is wrong or waits for a restart, as one text; empty where nothing is. */
export const findingsOf = ({ errors, pendingRestart }: Shown): string =>
  errors.length + pendingRestart.length === 0 ? "" : JSON.stringify([errors, pendingRestart]);
