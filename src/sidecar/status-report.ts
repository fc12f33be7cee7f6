import { decide } from "../primary/decide.ts";
import { publishedAddresses, readSlice } from "../primary/slice.ts";
import { type Observation, standingOf } from "../primary/standing.ts";
import { formatTerm } from "../primary/term.ts";
import type { SidecarConfig } from "./settings.ts";
import { SliceView } from "./slice-view.ts";
import type { SliceFacts, StatusFacts } from "./status-facts.ts";

export interface StatusReport {
  readonly lines: readonly string[];
  /** What is wrong, in plain words; empty where all is as it should be. */
  readonly problems: readonly string[];
}

/** What the sidecar sees, in a few lines, and what of it is wrong. */
export function reportOf(facts: StatusFacts, config: SidecarConfig, apiAddress: string): StatusReport {
  const { patroni } = config;
  const { lines, problems } = sliceReportOf(facts, apiAddress);
  return concluded(
    [
      `Patroni        ${patroni.scheme}://${patroni.host}:${patroni.port}  ${observationInWords(facts.observation)}`,
      ...lines,
    ],
    [...patroniProblems(facts.observation), ...problems, ...sliceProblems(facts, config)],
  );
}

/** The same of a sidecar beside PgBouncer alone. */
export function poolerReportOf(facts: SliceFacts, apiAddress: string): StatusReport {
  const { lines, problems } = sliceReportOf(facts, apiAddress);
  return concluded(lines, [...problems, ...absence(facts)]);
}

function sliceReportOf(facts: SliceFacts, apiAddress: string): StatusReport {
  const permissions = permissionsInWords(facts);
  return {
    lines: [
      `API server     ${apiAddress}  ${facts.read.kind === "failed" ? "see below" : "answers"}`,
      `EndpointSlice  ${nameOf(facts)}  ${sliceInWords(facts)}`,
      `Permissions    ${permissions.text}`,
    ],
    problems: [
      ...(facts.read.kind === "failed" ? [messageOf(facts.read.error)] : []),
      ...permissions.missing.map((what) => `permission missing: this pod's ServiceAccount may not ${what}`),
    ],
  };
}

const concluded = (lines: readonly string[], problems: readonly string[]): StatusReport => ({
  lines: [
    ...lines,
    ...(problems.length === 0 ? ["nothing"] : problems).map((text) => `Wrong          ${text}`),
  ],
  problems,
});

const nameOf = ({ slice }: SliceFacts): string => `${slice.namespace}/${slice.name}`;

const absence = (facts: SliceFacts): string[] =>
  facts.read.kind === "absent"
    ? [`EndpointSlice ${nameOf(facts)} does not exist: the controller makes it (is it running?)`]
    : [];

function observationInWords(observation: Observation): string {
  if (observation.kind === "silent") return `no answer (${observation.error})`;
  if (observation.kind === "refused")
    return `refuses connections (PostgreSQL's port: ${observation.postgres})`;
  const { code, role, state, timeline, version } = observation.status;
  const words = `${code}, role ${role ?? "unknown"}, state ${state ?? "unknown"}, timeline ${timeline ?? "unknown"}`;
  return `${words}${version === undefined ? "" : `, version ${version}`}`;
}

function patroniProblems(observation: Observation): string[] {
  return observation.kind === "answered" ? [] : [`Patroni: ${observationInWords(observation)}`];
}

function sliceInWords({ read }: SliceFacts): string {
  if (read.kind === "failed") return "cannot be read";
  if (read.kind === "absent") return "does not exist";
  const { term } = readSlice(read.slice);
  const addresses = publishedAddresses(read.slice);
  const shown = addresses.length === 0 ? "shows nobody" : `shows ${addresses.join(" and ")}`;
  return `${shown}, term ${term === undefined ? "none" : formatTerm(term)}`;
}

function permissionsInWords({ permissions }: SliceFacts) {
  const words = permissions.map(({ verb, object, allowed }) => {
    const mark = allowed === undefined ? " (not known)" : allowed ? "" : " (MISSING)";
    return { what: `${verb} ${object.resource} ${object.namespace}/${object.name}`, mark, allowed };
  });
  return {
    text: words.map(({ what, mark }) => what + mark).join("; "),
    missing: words.flatMap(({ what, allowed }) => (allowed === false ? [what] : [])),
  };
}

/** By the same rule as the writers' own. */
function sliceProblems(facts: StatusFacts, config: SidecarConfig): string[] {
  const { read, observation } = facts;
  if (read.kind !== "slice") return absence(facts);
  const view = new SliceView(config);
  view.take(read.slice);
  const { pod } = view;
  if (pod === undefined)
    return [`this pod has no ${view.addressType ?? ""} address, and the EndpointSlice takes no other`];
  const standing = standingOf(observation);
  const tenure = { namedForMs: 0, ttlMs: 0 };
  const verdict = decide({ pod, slice: readSlice(read.slice), standing, mustProve: false, ...tenure });
  switch (verdict.kind) {
    case "publish":
      return ["this member is the primary, and is not published (yet)"];
    case "withdraw":
      return [`this member is published, and is no primary (${verdict.why})`];
    case "term-refused":
      return [
        `this member is the primary, and is not published: its term ${formatTerm(verdict.offered)} is of a lower timeline, or of another system, than the slice's ${formatTerm(verdict.current)}`,
      ];
    case "rest":
      return [];
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
