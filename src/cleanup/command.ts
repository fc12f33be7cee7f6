import { runCommand, type Streams } from "../cli/command.ts";
import { Objects } from "../controller/objects.ts";
import { chosenCluster } from "../kube/chosen-cluster.ts";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { cleanup } from "./cleanup.ts";
import { table } from "./row.ts";

/** No call to the API server takes longer. Milliseconds. */
const CALL_MS = 30_000;

/** Controllers see a change within a second. */
const WAITS = { controllerMs: 2000, patienceMs: 15_000 };

interface Io extends Streams {
  readonly env: NodeJS.ProcessEnv;
}

/** Exit codes: 0 nothing is left to do; 1 something could not be done, or not yet; 2 usage. */
export function run(argv: readonly string[], io: Io): Promise<number> {
  const command = {
    name: "patroni-injector cleanup",
    usage: USAGE,
    run: (given: Arguments) => cleanUp(given, io),
  };
  return runCommand(parseArguments(argv), command, io);
}

async function cleanUp(given: Arguments, { stdout, env }: Io): Promise<number> {
  const connection = chosenCluster(given.kubeconfig, env);
  const rows = await cleanup(new Objects(connection, CALL_MS), { ...given, waits: WAITS });
  stdout.write(table(rows));
  return rows.some(({ open }) => open) ? 1 : 0;
}
