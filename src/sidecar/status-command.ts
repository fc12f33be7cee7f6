import { KubeApi } from "./kube-api.ts";
import { readSettings } from "./settings.ts";
import { gatherStatus } from "./status-facts.ts";
import { reportOf } from "./status-report.ts";
import { withoutArguments } from "./usage.ts";

const USAGE = `Usage: patroni-injector status

Says what the sidecar of this pod sees, and what is wrong. Run it in the sidecar's container (kubectl exec).
`;

/** Exit codes: 0 nothing is wrong, 1 something is, or it cannot run; 2 usage. */
export async function run(
  argv: readonly string[],
  io: Pick<NodeJS.Process, "stdout" | "stderr">,
): Promise<number> {
  const answered = withoutArguments(argv, USAGE, io);
  if (answered !== undefined) return answered;
  try {
    const config = readSettings(process.env);
    const api = new KubeApi(process.env, config.tokenDir);
    const { lines, problems } = reportOf(await gatherStatus(config, api), config, api.address);
    api.close();
    io.stdout.write(`${lines.join("\n")}\n`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    io.stderr.write(`patroni-injector status: ${(error as Error).message}\n`);
    return 1;
  }
}
