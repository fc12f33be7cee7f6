import { requestWithout, runCommand, type Streams } from "../cli/command.ts";
import { KubeApi } from "./kube-api.ts";
import {
  type CommonConfig,
  readPoolerSettings,
  readRole,
  readSettings,
  type SidecarRole,
} from "./settings.ts";
import { gatherSliceFacts, gatherStatus } from "./status-facts.ts";
import { poolerReportOf, reportOf, type StatusReport } from "./status-report.ts";

const USAGE = `Usage: patroni-injector status

Says what the sidecar of this pod sees, and what is wrong. Run it in the sidecar's container (kubectl exec).
`;

/** Exit codes: 0 nothing is wrong, 1 something is, or it cannot run; 2 usage. */
export function run(argv: readonly string[], io: Streams): Promise<number> {
  const command = { name: "patroni-injector status", usage: USAGE, run: () => show(io) };
  return runCommand(requestWithout(argv), command, io);
}

async function show({ stdout }: Streams): Promise<number> {
  const { lines, problems } = await STATUS[readRole(process.env)]();
  stdout.write(`${lines.join("\n")}\n`);
  return problems.length === 0 ? 0 : 1;
}

const STATUS: Readonly<Record<SidecarRole, () => Promise<StatusReport>>> = {
  async member() {
    const config = readSettings(process.env);
    return asked(config, async (api) => reportOf(await gatherStatus(config, api), config, api.address));
  },
  async pooler() {
    const config = readPoolerSettings(process.env);
    return asked(config, async (api) =>
      poolerReportOf(await gatherSliceFacts(config, api, ["get", "watch"]), api.address),
    );
  },
};

async function asked(
  { tokenDir }: CommonConfig,
  ask: (api: KubeApi) => Promise<StatusReport>,
): Promise<StatusReport> {
  const api = new KubeApi(process.env, tokenDir);
  const report = await ask(api);
  api.close();
  return report;
}
