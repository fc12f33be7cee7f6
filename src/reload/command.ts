import { runCommand, type Streams } from "../cli/command.ts";
import { tableOf } from "../cli/table.ts";
import { chosenKubeconfig } from "../kube/chosen-cluster.ts";
import { connect } from "../kube/connection.ts";
import { portForwarding } from "../kube/port-forward.ts";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { type ReloadTools, type Row, reload } from "./reload.ts";

interface Io extends Streams {
  readonly env: NodeJS.ProcessEnv;
}

/** Exit codes: 0 proven, of each member; 1 not; 2 usage. */
export function run(argv: readonly string[], io: Io): Promise<number> {
  const command = {
    name: "patroni-injector reload",
    usage: USAGE,
    run: (given: Arguments) => reloaded(given, io),
  };
  return runCommand(parseArguments(argv), command, io);
}

async function reloaded(given: Arguments, { stdout, stderr, env }: Io): Promise<number> {
  const rows = await reload(given, toolsFor(given, env, stderr));
  stdout.write(table(rows));
  return rows.every(({ proven }) => proven) ? 0 : 1;
}

function toolsFor({ kubeconfig }: Arguments, env: NodeJS.ProcessEnv, stderr: Io["stderr"]): ReloadTools {
  const file = chosenKubeconfig(kubeconfig, env);
  return {
    kube: connect(file),
    openPort: portForwarding(file),
    say: (line) => void stderr.write(`${line}\n`),
  };
}

export function table(rows: readonly Row[]): string {
  return tableOf(
    ["MEMBER", "ROLE", "VERSION", "RESULT"],
    rows.map(({ member, role, version, result }) => [member, role || "-", String(version ?? "?"), result]),
  );
}
