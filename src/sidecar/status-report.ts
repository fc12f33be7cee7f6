import { decide } from "../primary/decide.ts";
import { publishedAddresses, readSlice } from "../primary/slice.ts";
import { type Observation, standingOf } from "../primary/standing.ts";
import { formatTerm } from "../primary/term.ts";
import type { SidecarConfig } from "./settings.ts";
import { SliceView } from "./slice-view.ts";
import type { StatusFacts } from "./status-facts.ts";

export interface StatusReport {
  readonly lines: readonly string[];
  /** What is wrong, in plain words; empty where all is as it should be. */
  readonly problems: readonly string[];
}

/** What the sidecar sees, in a few lines, and what of it is wrong. */
export function reportOf(facts: StatusFacts, config: SidecarConfig, apiAddress: string): StatusReport {
  const { patroni } = config;
  const name = `${facts.slice.namespace}/${facts.slice.name}`;
  const slice = sliceInWords(facts);
  const permissions = permissionsInWords(facts);
  const problems = [
    ...patroniProblems(facts.observation),
    ...(facts.read.kind === "failed" ? [messageOf(facts.read.error)] : []),
    ...permissions.missing.map((what) => `permission missing: this pod's ServiceAccount may not ${what}`),
    ...sliceProblems(facts, config, name),
  ];
  return {
    lines: [
      `Patroni        ${patroni.scheme}://${patroni.host}:${patroni.port}  ${observationInWords(facts.observation)}`,
      `API server     ${apiAddress}  ${facts.read.kind === "failed" ? "see below" : "answers"}`,
      `EndpointSlice  ${name}  ${slice}`,
      `Permissions    ${permissions.text}`,
      ...(problems.length === 0
        ? ["Wrong          nothing"]
        : problems.map((text) => `Wrong          ${text}`)),
    ],
    problems,
  };
}

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

function sliceInWords({ read }: StatusFacts): string {
  if (read.kind === "failed") return "cannot be read";
  if (read.kind === "absent") return "does not exist";
  const { term } = readSlice(read.slice);
  const addresses = publishedAddresses(read.slice);
  const shown = addresses.length === 0 ? "shows nobody" : `shows ${addresses.join(" and ")}`;
  return `${shown}, term ${term === undefined ? "none" : formatTerm(term)}`;
}

function permissionsInWords({ permissions }: StatusFacts) {
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
function sliceProblems({ read, observation }: StatusFacts, config: SidecarConfig, name: string): string[] {
  if (read.kind === "failed") return [];
  if (read.kind === "absent")
    return [`EndpointSlice ${name} does not exist: the controller makes it (is it running?)`];
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
