import { requestWithout, runCommand, type Streams } from "../cli/command.ts";
import { readRole, type SidecarRole } from "./settings.ts";

const USAGE = `Usage: patroni-injector sidecar

Runs beside Patroni, or beside PgBouncer, in an injected pod. Told what to do by its environment.
`;

/** Works until it is stopped. */
type Work = (stopped: AbortSignal) => Promise<void>;

/** Each reads its settings, and throws where they are not allowed. */
const ROLES: Readonly<Record<SidecarRole, () => Promise<(environment: NodeJS.ProcessEnv) => Work>>> = {
  member: async () => (await import("./member.ts")).member,
  pooler: async () => (await import("./pooler.ts")).pooler,
};

/** Exit codes: 0 ended as asked, 1 cannot run, 2 usage. */
export function run(argv: readonly string[], io: Streams): Promise<number> {
  const command = { name: "patroni-injector sidecar", usage: USAGE, run: untilStopped };
  return runCommand(requestWithout(argv), command, io);
}

async function untilStopped(): Promise<number> {
  const load = ROLES[readRole(process.env)];
  const work = (await load())(process.env);
  const stopped = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stopped.abort());
  await work(stopped.signal);
  return 0;
}
