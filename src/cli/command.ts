import { printable } from "./printable.ts";

/** What a command line asks for. */
export type Request<Arguments> =
  | { readonly kind: "run"; readonly arguments: Arguments }
  | { readonly kind: "help" }
  | { readonly kind: "usage"; readonly message: string };

/** Where a command speaks. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export interface Command<Arguments> {
  /** What its messages begin with. */
  readonly name: string;
  readonly usage: string;
  /** @returns the exit code */
  run(given: Arguments): Promise<number>;
  /** The exit code where `run` throws. Default: 1. */
  readonly failed?: number;
  /** What is said of what `run` throws, in lines. Default: its message. */
  explain?(error: unknown): readonly string[];
}

/** The exit code of a command that was asked for wrongly. */
const BAD_USAGE = 2;

/**
 * Does what a command line asks for. Help goes to standard output, for it is what was wanted; all that is wrong goes to standard
 * error. Never rejects.
 *
 * @returns the exit code
 */
export async function runCommand<Arguments>(
  request: Request<Arguments>,
  { name, usage, run, failed = 1, explain }: Command<Arguments>,
  { stdout, stderr }: Streams,
): Promise<number> {
  switch (request.kind) {
    case "help":
      stdout.write(usage);
      return 0;
    case "usage":
      stderr.write(`${name}: ${printable(request.message)}\n\n${usage}`);
      return BAD_USAGE;
    case "run":
      break;
  }
  try {
    return await run(request.arguments);
  } catch (error) {
    const lines = explain?.(error) ?? `${name}: ${(error as Error).message}`.split("\n");
    stderr.write(lines.map((line) => `${printable(line)}\n`).join(""));
    return failed;
  }
}

/**
 * Reads a command line.
 *
 * @param read gives the arguments, undefined where help is asked for, and throws an Error that says what is wrong
 */
export function requestBy<Arguments>(read: () => Arguments | undefined): Request<Arguments> {
  try {
    const given = read();
    return given === undefined ? { kind: "help" } : { kind: "run", arguments: given };
  } catch (error) {
    return { kind: "usage", message: (error as Error).message };
  }
}

/** Reads the command line of a command that takes no arguments. */
export function requestWithout(argv: readonly string[]): Request<null> {
  if (argv.length === 0) return { kind: "run", arguments: null };
  if (argv[0] === "--help" || argv[0] === "-h") return { kind: "help" };
  return { kind: "usage", message: "it takes no arguments" };
}
