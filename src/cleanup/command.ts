import { Objects } from "../controller/objects.ts";
import { chosenCluster } from "../kube/chosen-cluster.ts";
import { parseArguments, USAGE } from "./arguments.ts";
import { cleanup } from "./cleanup.ts";
import { table } from "./row.ts";

/** No call to the API server takes longer. Milliseconds. */
const CALL_MS = 30_000;

/** Controllers see a change within a second. */
const WAITS = { controllerMs: 2000, patienceMs: 15_000 };

interface Io {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: NodeJS.ProcessEnv;
}

/** Exit codes: 0 nothing is left to do; 1 something could not be done, or not yet; 2 usage. */
export async function run(argv: readonly string[], { stdout, stderr, env }: Io): Promise<number> {
  const request = parseArguments(argv);
  if (request.kind === "help") {
    stdout.write(USAGE);
    return 0;
  }
  if (request.kind === "usage") {
    stderr.write(`patroni-injector cleanup: ${request.message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const connection = chosenCluster(request.arguments.kubeconfig, env);
    const options = { ...request.arguments, waits: WAITS };
    const rows = await cleanup(new Objects(connection, CALL_MS), options);
    stdout.write(table(rows));
    return rows.some(({ open }) => open) ? 1 : 0;
  } catch (error) {
    stderr.write(`patroni-injector cleanup: ${(error as Error).message}\n`);
    return 1;
  }
}
