import { execFileSync } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Installation } from "./database.ts";

/** Where distributions of Debian's family put PostgreSQL, a folder a version. */
const VERSIONS = "/usr/lib/postgresql";

/** A Patroni and a PostgreSQL of this machine, or in words what is missing of them. */
export type Found = { readonly installation: Installation } | { readonly missing: string };

/**
 * By the environment, where it says something: `BENCH_PATRONI` (the program), `BENCH_POSTGRES_BIN` (the folder of `initdb`) and
 * `BENCH_POSTGRES_USER` (whom both run as); else what is on the `PATH`, the newest PostgreSQL, and `postgres`.
 */
export function findInstallation(env: NodeJS.ProcessEnv): Found {
  const folders = (env.PATH ?? "").split(delimiter);
  const patroni = env.BENCH_PATRONI ?? firstOf(folders.map((folder) => join(folder, "patroni")));
  if (patroni === undefined || !isProgram(patroni)) return { missing: "no patroni (BENCH_PATRONI)" };
  const places =
    env.BENCH_POSTGRES_BIN === undefined ? [...versions(), ...folders] : [env.BENCH_POSTGRES_BIN];
  const postgresBin = places.find((folder) =>
    ["initdb", "postgres"].every((name) => isProgram(join(folder, name))),
  );
  if (postgresBin === undefined) return { missing: "no PostgreSQL server (BENCH_POSTGRES_BIN)" };
  if (process.getuid?.() !== 0) return { missing: "no root, which is needed to run both as another user" };
  const name = env.BENCH_POSTGRES_USER ?? "postgres";
  const [uid, gid] = ["-u", "-g"].map((flag) => idOf(flag, name));
  if (uid === undefined || gid === undefined) return { missing: `no user ${name} (BENCH_POSTGRES_USER)` };
  const problem = problemOf(patroni, { uid, gid });
  if (problem !== undefined) return { missing: `no Patroni that ${name} may run (${problem})` };
  return { installation: { patroni, postgresBin, user: { name, uid, gid } } };
}

/** Why the program cannot be run as this user; undefined where it can. */
function problemOf(
  program: string,
  user: { readonly uid: number; readonly gid: number },
): string | undefined {
  try {
    execFileSync(program, ["--version"], { ...user, stdio: "ignore" });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The newest first. */
function versions(): string[] {
  try {
    const found = readdirSync(VERSIONS).sort((one, other) => Number(other) - Number(one));
    return found.map((version) => join(VERSIONS, version, "bin"));
  } catch {
    return [];
  }
}

const firstOf = (paths: readonly string[]): string | undefined => paths.find(isProgram);

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function idOf(flag: string, user: string): number | undefined {
  try {
    return Number(
      execFileSync("id", [flag, user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
    );
  } catch {
    return undefined;
  }
}
