import {
  RELOAD_COMPONENTS,
  RELOAD_PROBLEMS,
  type ReloadComponent,
  type ReloadProblem,
} from "../../contract/reload.ts";
import { asObject, asString, at, type JsonObject } from "../../json/value.ts";

/** What a component's last error is, as its sidecar says. */
export interface Failure {
  readonly component: ReloadComponent;
  readonly problem: ReloadProblem;
  /** As the sidecar has it: when it happened tells one failure from the next. */
  readonly at: string;
  readonly detail: string;
  /** The version that the pod holds now. */
  readonly version: number | undefined;
}

/** An Event is kept for an hour: a failure that is older was told, or is no news. Milliseconds. */
const NEWS_MS = 3_600_000;

/** Clocks differ. Milliseconds. */
const AHEAD_MS = 60_000;

const LONGEST_DETAIL = 600;

/** Reads the answer to `GET /v1/status`. What is not as it should be counts as absent: pods are not believed blindly. */
export const failuresIn = (status: JsonObject): Failure[] =>
  RELOAD_COMPONENTS.flatMap((component) => failureOf(component, asObject(status[component])) ?? []);

function failureOf(component: ReloadComponent, status: JsonObject | undefined): Failure | undefined {
  const error = asObject(at(status, "lastError"));
  const [problem = "", when = ""] = [asString(error?.problem), asString(error?.at)];
  if (!isProblem(problem) || Number.isNaN(Date.parse(when))) return undefined;
  const { materialisedVersion: version } = status ?? {};
  return {
    component,
    problem,
    at: new Date(when).toISOString(),
    detail: plain(asString(error?.detail) ?? ""),
    version: typeof version === "number" ? version : undefined,
  };
}

/** Those that somebody should hear of now. @param told the {@link Failure.at} that was told last, by component */
export const newsIn = (
  failures: readonly Failure[],
  told: ReadonlyMap<ReloadComponent, string>,
  now: number,
): Failure[] =>
  failures.filter(({ component, at: when }) => {
    const ageMs = now - Date.parse(when);
    return told.get(component) !== when && ageMs < NEWS_MS && ageMs > -AHEAD_MS;
  });

/** For people. */
export function inWords({ component, problem, at: when, detail, version }: Failure): string {
  const there = version === undefined ? "" : `, version ${version} of its configuration is in the pod`;
  return `${component} at ${when}${there}: ${problem}${detail === "" ? "" : `: ${detail}`}`;
}

const isProblem = (text: string): text is ReloadProblem => Object.hasOwn(RELOAD_PROBLEMS, text);

/** In one line, of a bounded length. */
function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length <= LONGEST_DETAIL ? line : `${line.slice(0, LONGEST_DETAIL - 1)}…`;
}
