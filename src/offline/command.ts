import type { Readable, Writable } from "node:stream";
import { printable } from "../cli/printable.ts";
import { write } from "../cli/write.ts";
import { toInjectionSettings, withKnowledge } from "../config/injection-settings.ts";
import { defaultConfig, loadConfig } from "../config/load.ts";
import { ConfigError } from "../config/problems.ts";
import type { Config } from "../config/schema.ts";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { coloured, diffOf } from "./diff.ts";
import { problemAt, readDocuments, type SourceDocument } from "./documents.ts";
import { injectDocument, surroundingsOf } from "./inject.ts";
import { readInputs } from "./input.ts";
import { asJson, asTheyCame, asYaml, type File, holdsInexactNumber } from "./output.ts";
import { reportLines } from "./report.ts";
import { isJson } from "./stream.ts";

export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const EXIT = { done: 0, badInput: 1, badUsage: 2 } as const;

const DEFAULT_NAMESPACE = "default";

/** The command `inject`. The answer is the exit code; errors are told on standard error, none is thrown. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const request = parseArguments(argv);
  if (request.kind === "help") {
    await write(io.stdout, USAGE);
    return EXIT.done;
  }
  if (request.kind === "usage") {
    await write(io.stderr, `inject: ${printable(request.message)}\n\n${USAGE}`);
    return EXIT.badUsage;
  }
  try {
    const result = await inject(request.arguments, io);
    const lines = [...result.report, ...result.problems.map(printable)];
    await write(io.stderr, lines.map((line) => `${line}\n`).join(""));
    if (result.problems.length > 0) return EXIT.badInput;
    await write(io.stdout, result.output);
    return EXIT.done;
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [`inject: ${(error as Error).message}`];
    await write(io.stderr, problems.map((problem) => `${printable(problem)}\n`).join(""));
    return EXIT.badInput;
  }
}

interface Result {
  readonly output: string;
  readonly report: readonly string[];
  readonly problems: readonly string[];
}

async function inject(wanted: Arguments, io: Io): Promise<Result> {
  const config = wanted.config === undefined ? defaultConfig() : await loadConfig(wanted.config);
  const readings = await readInputs(wanted.files, io.stdin);
  const read = readings.map((reading) =>
    reading.kind === "read" ? readDocuments(reading.input) : { documents: [], problems: [reading.problem] },
  );
  const problems = read.flatMap((file) => file.problems);
  if (problems.length > 0) return { output: "", report: [], problems };

  const files = injectFiles(read, wanted, config);
  const documents = files.flat();
  return {
    output: outputOf(files, wanted, io),
    report: documents.flatMap((document) => reportLines(document, wanted.namespace !== undefined)),
    problems: documents.flatMap((document) => [
      ...document.problems,
      ...conversionProblems(document.source, wanted.output),
    ]),
  };
}

function conversionProblems(source: SourceDocument, output: Arguments["output"]): string[] {
  const isConverted = output === "json" || (output === "yaml" && isJson(source.text));
  if (!isConverted || !holdsInexactNumber(source.value)) return [];
  return [
    problemAt(source, 0, "holds a whole number too large to be converted exactly; leave --output away"),
  ];
}

function injectFiles(
  read: readonly ReturnType<typeof readDocuments>[],
  wanted: Arguments,
  config: Config,
): File[] {
  const namespace = wanted.namespace ?? DEFAULT_NAMESPACE;
  const settings = toInjectionSettings(config, { ownNamespace: undefined });
  const seen = surroundingsOf(
    read.flatMap(({ documents }) => documents),
    namespace,
  );
  const surroundings = withKnowledge(config, seen);
  return read.map(({ documents }) =>
    documents.map((document) => injectDocument(document, namespace, settings, surroundings)),
  );
}

function outputOf(files: readonly File[], { diff, output }: Arguments, { stdout, env }: Io): string {
  if (diff) {
    const text = files.map(diffOfFile).join("");
    return stdout.isTTY === true && !env.NO_COLOR ? coloured(text) : text;
  }
  if (output === "json") return asJson(files);
  return output === "yaml" ? asYaml(files) : asTheyCame(files);
}

function diffOfFile(file: File): string {
  let grown = 0;
  return file
    .map((document) => {
      const diff = diffOf(document, grown);
      grown += document.text.split("\n").length - document.source.text.split("\n").length;
      return diff;
    })
    .join("");
}
