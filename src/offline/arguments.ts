import { parseArgs } from "node:util";
import { type Request, requestBy } from "../cli/command.ts";

export interface Arguments {
  /** Paths of files and directories; `-` is standard input. At least one. */
  readonly files: readonly string[];
  readonly diff: boolean;
  /** Undefined: every document stays in the format in which it came. */
  readonly output: "yaml" | "json" | undefined;
  readonly config: string | undefined;
  readonly namespace: string | undefined;
}

export const USAGE = `Usage: patroni-injector inject -f FILE [-f FILE ...] [options]

Prints the manifests as the webhook would change their pods: Pod, StatefulSet, Deployment, DaemonSet, ReplicaSet,
ReplicationController, Job, CronJob, and the same inside of a List. Everything else stays byte for byte as it is.

  -f, --filename FILE   a file, a directory (its *.yaml, *.yml and *.json in order), or - for standard input
      --diff            print a unified diff of what changes instead of the manifests
  -o, --output FORMAT   yaml: convert JSON to YAML; json: convert all to JSON, several objects as one List
                        (default: every file in the format in which it came)
      --config FILE     the injector's configuration
  -n, --namespace NAME  the namespace of objects that name none (default: default)
  -h, --help            print this

On standard error: one line for each object, what was done and why.
Exit code: 0 done, also where nothing was to do; 1 bad input, nothing was printed; 2 bad usage.
`;

const OPTIONS = {
  filename: { type: "string", short: "f", multiple: true },
  diff: { type: "boolean" },
  output: { type: "string", short: "o" },
  config: { type: "string" },
  namespace: { type: "string", short: "n" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line behind `inject`. Never throws. */
export function parseArguments(argv: readonly string[]): Request<Arguments> {
  return requestBy(() => {
    const { values } = parseArgs({
      args: [...argv],
      options: OPTIONS,
      strict: true,
      allowPositionals: false,
    });
    if (values.help) return undefined;
    const { filename: files = [], diff = false, output, config, namespace } = values;
    const message = problemWith({ ...values, files, diff });
    if (message !== undefined) throw new Error(message);
    const format = output as Arguments["output"];
    return { files, diff, output: format, config, namespace };
  });
}

function problemWith(given: {
  readonly files: readonly string[];
  readonly diff: boolean;
  readonly output?: string;
  readonly namespace?: string;
}): string | undefined {
  const { files, diff, output, namespace } = given;
  if (files.length === 0) return "nothing to read: give -f FILE, or -f - for standard input";
  if (files.includes("")) return "-f needs the name of a file";
  if (files.filter((file) => file === "-").length > 1) return "standard input (-f -) can be read only once";
  if (output !== undefined && output !== "yaml" && output !== "json") {
    return `--output is yaml or json, not ${JSON.stringify(output)}`;
  }
  if (diff && output !== undefined) return "--diff and --output exclude each other";
  if (namespace === "") return "--namespace needs a name";
  return undefined;
}
