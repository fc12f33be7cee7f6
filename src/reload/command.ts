import { chosenKubeconfig } from "../kube/chosen-cluster.ts";
import { connect } from "../kube/connection.ts";
import { portForwarding } from "../kube/port-forward.ts";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { type ReloadTools, type Row, reload } from "./reload.ts";

interface Io {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: NodeJS.ProcessEnv;
}

/** Exit codes: 0 proven, of each member; 1 not; 2 usage. */
export async function run(argv: readonly string[], { stdout, stderr, env }: Io): Promise<number> {
  const request = parseArguments(argv);
  if (request.kind === "help") {
    stdout.write(USAGE);
    return 0;
  }
  if (request.kind === "usage") {
    stderr.write(`patroni-injector reload: ${request.message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const rows = await reload(request.arguments, toolsFor(request.arguments, env, stderr));
    stdout.write(table(rows));
    return rows.every(({ proven }) => proven) ? 0 : 1;
  } catch (error) {
    stderr.write(`patroni-injector reload: ${(error as Error).message}\n`);
    return 1;
  }
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
  const cells = rows.map(({ member, role, version, result }) => [
    member,
    role || "-",
    String(version ?? "?"),
    result,
  ]);
  const lines = [["MEMBER", "ROLE", "VERSION", "RESULT"], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
