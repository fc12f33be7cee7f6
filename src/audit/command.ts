import type { Readable, Writable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { stringify } from "yaml";
import { runCommand } from "../cli/command.ts";
import { interruption } from "../cli/interruption.ts";
import { printable } from "../cli/printable.ts";
import { write } from "../cli/write.ts";
import { withKnowledge } from "../config/injection-settings.ts";
import { ConfigError } from "../config/problems.ts";
import { SEVERITIES } from "../contract/findings.ts";
import { chosenKubeconfig } from "../kube/chosen-cluster.ts";
import { credentials } from "../kube/connection.ts";
import { portForwarding } from "../kube/port-forward.ts";
import { readInputs } from "../offline/input.ts";
import { type Arguments, parseArguments, USAGE, type Wish } from "./arguments.ts";
import { type AuditReport, audit, severityOf } from "./audit.ts";
import { collect } from "./collect/collect.ts";
import { PatientConnection } from "./collect/patient-connection.ts";
import { manifests } from "./files.ts";
import { writeFixFiles } from "./fix-files.ts";
import { wantedConfig } from "./installed.ts";
import { keepReports } from "./keep-reports.ts";
import type { Labels } from "./network/selector.ts";
import { slowProgress } from "./progress.ts";
import { allFindings, documentOf } from "./report/document.ts";
import { fixesOf } from "./report/fixes.ts";
import { markdownOf } from "./report/markdown.ts";
import { policyReportsOf } from "./report/policy-report.ts";
import { type Locate, sarifOf } from "./report/sarif.ts";
import { explanationOf, textOf } from "./report/text.ts";
import { surroundingsIn } from "./surroundings.ts";

export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
}

const EXIT = { clean: 0, findings: 1, noAudit: 2 } as const;

const DEFAULT_NAMESPACE = "default";

/** The command `audit`. The answer is the exit code; errors are told on standard error, none is thrown. */
export function run(argv: readonly string[], io: Io): Promise<number> {
  const command = {
    name: "audit",
    usage: USAGE,
    run: (wish: Wish) => fulfilled(wish, io),
    failed: EXIT.noAudit,
    explain: (error: unknown) =>
      error instanceof ConfigError ? error.problems : [`audit: ${(error as Error).message}`],
  };
  return runCommand(parseArguments(argv), command, io);
}

async function fulfilled(wish: Wish, io: Io): Promise<number> {
  if (!("explain" in wish)) return interruptible((signal) => runAudit(wish, io, signal));
  await write(io.stdout, explanationOf(wish.explain));
  return EXIT.clean;
}

/** @throws what interrupted it, whatever came of that */
async function interruptible(work: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const { signal, end } = interruption();
  try {
    return await work(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    end();
  }
}

async function runAudit(wanted: Arguments, io: Io, signal: AbortSignal): Promise<number> {
  const { report, locate, lost, keep } = await looked(wanted, io, signal);
  signal.throwIfAborted();
  if (lost === undefined) await keep();
  if (wanted.fixDir !== undefined) await writeFixes(report, wanted.fixDir, io, signal);
  await write(io.stdout, rendered(report, wanted, locate, io));
  if (lost !== undefined) throw new Error(`the API server did not answer everything: ${lost}`);
  const { failOn } = wanted;
  const isBad =
    failOn !== undefined &&
    allFindings(report).some(
      ({ code }) => SEVERITIES.indexOf(severityOf(code)) <= SEVERITIES.indexOf(failOn),
    );
  return isBad ? EXIT.findings : EXIT.clean;
}

interface Looked {
  readonly report: AuditReport;
  readonly locate: Locate;
  /** Why the API server did not answer something: the report is not whole, and says what is unseen. */
  readonly lost: string | undefined;
  /** Writes PolicyReports, where they are wanted. */
  keep(): Promise<void>;
}

async function looked(wanted: Arguments, io: Io, signal: AbortSignal): Promise<Looked> {
  const { source } = wanted;
  return source.kind === "files"
    ? inFiles(source.files, wanted, io)
    : inCluster(source.namespaces, wanted, io, signal);
}

async function inFiles(files: readonly string[], wanted: Arguments, io: Io): Promise<Looked> {
  const readings = await readInputs(files, io.stdin);
  const inputs = readings.flatMap((reading) => (reading.kind === "read" ? [reading.input] : []));
  const { snapshot, locate, problems } = manifests(inputs, DEFAULT_NAMESPACE);
  const failed = [
    ...readings.flatMap((reading) => (reading.kind === "failed" ? [reading.problem] : [])),
    ...problems,
  ];
  if (failed.length > 0) throw new ConfigError(failed);
  const { config, settings } = await wantedConfig(wanted.config, undefined);
  const surroundings = withKnowledge(config, surroundingsIn(snapshot));
  const report = audit({
    ...{ snapshot, settings, surroundings, namespaces: undefined },
    isWanted: selectorOf(wanted),
  });
  return { report, locate, lost: undefined, keep: async () => undefined };
}

async function inCluster(
  namespaces: readonly string[] | undefined,
  wanted: Arguments,
  io: Io,
  signal: AbortSignal,
): Promise<Looked> {
  saveMemory();
  const load = credentials(chosenKubeconfig(wanted.kubeconfig, io.env));
  const connection = new PatientConnection(load, signal);
  const { config, settings, from } = await wantedConfig(wanted.config, connection);
  say(io, `against the configuration of ${from}`);
  const progress = slowProgress((what) => say(io, what));
  const snapshot = await collect({
    connection,
    settings,
    namespaces,
    dryRuns: wanted.dryRuns,
    way: wanted.direct ? "direct" : "proxy",
    openPort: portForwarding(chosenKubeconfig(wanted.kubeconfig, io.env)),
    progress: progress.now,
  }).finally(progress.end);
  const surroundings = withKnowledge(config, surroundingsIn(snapshot));
  const isWanted = selectorOf(wanted);
  const report = audit({ snapshot, settings, surroundings, namespaces, isWanted });
  const keep = async (): Promise<void> => {
    if (!wanted.keepReports) return;
    await keepReports(connection, policyReportsOf(report, new Date()), namespaces);
  };
  return { report, locate: () => undefined, lost: connection.lost, keep };
}

/**
 * V8 sizes its heap by the machine, and an audit is often run beside what matters more. This is the one size of it that V8 takes while it
 * runs (Isolate::SetMemorySaverMode): a young generation that stays small, and an old one that is collected before it has doubled.
 */
function saveMemory(): void {
  setFlagsFromString("--memory-saver-mode");
}

const selectorOf = ({ selector }: Arguments) => {
  const pairs = Object.entries(selector);
  return (labels: Labels): boolean => pairs.every(([key, value]) => labels[key] === value);
};

const say = ({ stderr }: Io, what: string): void => void stderr.write(`audit: ${printable(what)}\n`);

async function writeFixes(report: AuditReport, folder: string, io: Io, signal: AbortSignal): Promise<void> {
  const fixes = fixesOf(report);
  await writeFixFiles(folder, fixes, signal);
  say(io, `${fixes.length} manifest${fixes.length === 1 ? "" : "s"} written to ${folder}`);
}

function rendered(report: AuditReport, { output }: Arguments, locate: Locate, { stdout, env }: Io): string {
  const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
  switch (output) {
    case "table":
      return textOf(report, stdout.isTTY === true && !env.NO_COLOR);
    case "json":
      return json(documentOf(report));
    case "sarif":
      return json(sarifOf(report, locate));
    case "policyreport":
      return policyReportsOf(report, new Date())
        .map((each) => `---\n${stringify(each)}`)
        .join("");
    case "markdown":
      return markdownOf(report);
  }
}
