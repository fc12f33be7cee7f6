import { requestWithout, runCommand, type Streams } from "../cli/command.ts";
import { KubeApi } from "./kube-api.ts";
import { readSettings } from "./settings.ts";
import { gatherStatus } from "./status-facts.ts";
import { reportOf } from "./status-report.ts";

const USAGE = `Usage: patroni-injector status

Says what the sidecar of this pod sees, and what is wrong. Run it in the sidecar's container (kubectl exec).
`;

/** Exit codes: 0 nothing is wrong, 1 something is, or it cannot run; 2 usage. */
export function run(argv: readonly string[], io: Streams): Promise<number> {
  const command = { name: "patroni-injector status", usage: USAGE, run: () => show(io) };
  return runCommand(requestWithout(argv), command, io);
}

async function show({ stdout }: Streams): Promise<number> {
  const config = readSettings(process.env);
  const api = new KubeApi(process.env, config.tokenDir);
  const { lines, problems } = reportOf(await gatherStatus(config, api), config, api.address);
  api.close();
  stdout.write(`${lines.join("\n")}\n`);
  return problems.length === 0 ? 0 : 1;
}
