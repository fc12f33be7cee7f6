import { parseArgs } from "node:util";
import { requestBy, runCommand, type Streams } from "../cli/command.ts";
import { ConfigError } from "../config/problems.ts";
import { serve } from "./serve.ts";
import { shutdownBySignals } from "./shutdown.ts";

const USAGE = `Usage: patroni-injector serve --config FILE [--kubeconfig FILE]

Answers admission reviews over HTTPS until SIGTERM.

  --config FILE      the configuration (docs/reference/configuration.md); watched for changes
  --kubeconfig FILE  the cluster; not needed in a pod of it
`;

const NAME = "patroni-injector serve";

/** Exit codes: 0 stopped as asked, 1 could not start or was ended by a second signal, 2 usage. */
export function run(argv: readonly string[], io: Streams): Promise<number> {
  const command = {
    name: NAME,
    usage: USAGE,
    run: untilStopped,
    explain: (error: unknown) => explained(error).map((line) => `${NAME}: ${line}`),
  };
  return runCommand(
    requestBy(() => argumentsIn(argv)),
    command,
    io,
  );
}

async function untilStopped(given: Arguments): Promise<number> {
  const shutdown = shutdownBySignals(process);
  try {
    await serve({ ...given, environment: process.env, shutdown });
    return shutdown.atOnce.aborted ? 1 : 0;
  } finally {
    shutdown.dispose();
  }
}

interface Arguments {
  readonly configPath: string;
  readonly kubeconfig: string | undefined;
}

function argumentsIn(argv: readonly string[]): Arguments | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: "string" },
      kubeconfig: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  if (values.config === undefined) throw new Error("--config is missing");
  return { configPath: values.config, kubeconfig: values.kubeconfig };
}

/** One line for each problem; of any other error its message and those of its causes. */
function explained(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  const messages: string[] = [];
  for (let here: unknown = error; here instanceof Error; here = here.cause) {
    if (!messages.some((message) => message.includes((here as Error).message))) messages.push(here.message);
  }
  return [messages.length === 0 ? String(error) : messages.join(": ")];
}
