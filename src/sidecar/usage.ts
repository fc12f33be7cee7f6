/**
 * Answers a command that takes no arguments where it was given some: asked for help it says how it is used, and anything else is
 * wrong usage. Undefined where there is none and the command may begin.
 *
 * @returns the exit code
 */
export function withoutArguments(
  argv: readonly string[],
  usage: string,
  io: Pick<NodeJS.Process, "stdout" | "stderr">,
): number | undefined {
  if (argv.length === 0) return undefined;
  const asksForHelp = argv[0] === "--help" || argv[0] === "-h";
  (asksForHelp ? io.stdout : io.stderr).write(usage);
  return asksForHelp ? 0 : 2;
}
