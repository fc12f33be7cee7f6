import { parseArgs } from "node:util";
import { ConfigError } from "../config/problems.ts";
import { serve } from "./serve.ts";
import { shutdownBySignals } from "./shutdown.ts";

const USAGE = `Usage: patroni-injector serve --config FILE [--kubeconfig FILE]

Answers admission reviews over HTTPS until SIGTERM.

  --config FILE      the configuration (docs/reference/configuration.md); watched for changes
  --kubeconfig FILE  the cluster; not needed in a pod of it
`;

export interface Io {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Exit codes: 0 stopped as asked, 1 could not start or was ended by a second signal, 2 usage. */
export async function run(argv: readonly string[], { stdout, stderr }: Io): Promise<number> {
  const options = optionsIn(argv);
  if (typeof options === "string") {
    stderr.write(`patroni-injector serve: ${options}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    stdout.write(USAGE);
    return 0;
  }
  const shutdown = shutdownBySignals(process);
  try {
    await serve({ ...options, environment: process.env, shutdown });
    return shutdown.atOnce.aborted ? 1 : 0;
  } catch (error) {
    for (const line of explained(error)) stderr.write(`patroni-injector serve: ${line}\n`);
    return 1;
  } finally {
    shutdown.dispose();
  }
}

interface Options {
  readonly help: boolean;
  readonly configPath: string;
  readonly kubeconfig: string | undefined;
}

/** The options, or what is wrong with them. */
function optionsIn(argv: readonly string[]): Options | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        config: { type: "string" },
        kubeconfig: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.config === undefined && !values.help) return "--config is missing";
    return { help: values.help, configPath: values.config ?? "", kubeconfig: values.kubeconfig };
  } catch (error) {
    return (error as Error).message;
  }
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
