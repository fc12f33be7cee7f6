import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../cluster/build-plan.ts";
import { withLock } from "../../cluster/lock.ts";

const run = promisify(execFile);

const REQUIREMENTS = new URL("../requirements.txt", import.meta.url).pathname;
const POSTGRES_HOME = "/usr/lib/postgresql";

/** The programs that the tests run, and whom they run as. */
export interface Programs {
  readonly patroni: string;
  /** The folder of `postgres` and `initdb`. */
  readonly postgresBin: string;
  readonly pgbouncer: string;
  readonly schemathesis: string;
  /** Neither PostgreSQL nor PgBouncer runs as root. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/**
 * Finds Debian's PostgreSQL and PgBouncer, and sets Patroni up in a virtual environment on first use.
 *
 * @throws Error that says what is missing, and what installs it
 */
export async function ensurePrograms(): Promise<Programs> {
  const postgresBin = existsSync(POSTGRES_HOME)
    ? readdirSync(POSTGRES_HOME)
        .sort((one, other) => Number(other) - Number(one))
        .map((version) => join(POSTGRES_HOME, version, "bin"))
        .find((folder) => existsSync(join(folder, "initdb")))
    : undefined;
  const pgbouncer = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find((path) => existsSync(path));
  const missing = [
    ...(postgresBin === undefined ? ["postgresql"] : []),
    ...(pgbouncer === undefined ? ["pgbouncer"] : []),
  ];
  if (postgresBin === undefined || pgbouncer === undefined)
    throw new Error(
      `missing: ${missing.join(", ")}; apt-get install --no-install-recommends ${missing.join(" ")}`,
    );
  const python = await ensurePython();
  return {
    patroni: join(python, "patroni"),
    schemathesis: join(python, "schemathesis"),
    postgresBin,
    pgbouncer,
    user: await serviceUser(),
  };
}

/** The folder of the programs of a virtual environment, which is made anew when what it is to hold has changed. */
async function ensurePython(): Promise<string> {
  // Root's cache is for root alone; Patroni runs as another user.
  const folder =
    process.getuid?.() === 0 ? "/var/tmp/patroni-injector-services" : join(cacheFolder(), "services");
  const stamp = join(folder, "requirements.txt");
  const wanted = await readFile(REQUIREMENTS, "utf8");
  const isMade = async () => (await readFile(stamp, "utf8").catch(() => "")) === wanted;
  await withLock(
    "patroni-injector-services",
    () => undefined,
    async () => {
      if (await isMade()) return;
      try {
        // Debian's own: one in a home folder may be for its owner alone.
        await run("/usr/bin/python3", ["-m", "venv", folder]);
        await run(join(folder, "bin", "pip"), ["install", "--quiet", "--requirement", REQUIREMENTS]);
        await writeFile(stamp, wanted);
      } catch (error) {
        const { stderr = "" } = error as { stderr?: string };
        const what =
          "Patroni cannot be installed (needed: python3 and python3-venv of Debian, and a package index)";
        throw new Error(`${what}: ${stderr}`, { cause: error });
      }
    },
  );
  return join(folder, "bin");
}

async function serviceUser(): Promise<Programs["user"]> {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  if (uid !== 0) return { uid, gid };
  const id = async (flag: string) => Number((await run("id", [flag, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}
