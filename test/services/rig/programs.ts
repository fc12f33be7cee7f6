import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../cluster/build-plan.ts";
import { withLock } from "../../cluster/lock.ts";
import { ensurePackages, type Requirement, RequirementError } from "../../cluster/packages.ts";

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

const PACKAGES: readonly Requirement[] = [
  { package: "postgresql", proof: `${POSTGRES_HOME}/*/bin/initdb`, purpose: "is the database" },
  { package: "pgbouncer", proof: "pgbouncer", purpose: "is the pooler" },
  { package: "python3-venv", proof: "/usr/lib/python3*/ensurepip", purpose: "holds Patroni" },
];

/** Debian's packages make a database of their own and start it, unless they are told not to. */
const NO_DATABASE = "/etc/postgresql-common/createcluster.d/patroni-injector-tests.conf";

/**
 * Finds Debian's PostgreSQL and PgBouncer, or installs them, and sets Patroni up in a virtual environment on first use.
 *
 * One caller at a time does so.
 *
 * @throws RequirementError that says what is missing
 */
export const ensurePrograms = (): Promise<Programs> =>
  withLock("patroni-injector-services", () => undefined, install);

async function install(): Promise<Programs> {
  if (newestPostgres() === undefined && process.getuid?.() === 0) {
    await mkdir(dirname(NO_DATABASE), { recursive: true });
    await writeFile(NO_DATABASE, "create_main_cluster = false\n");
  }
  await ensurePackages(PACKAGES, (line) => process.stderr.write(`${line}\n`));
  const postgresBin = newestPostgres();
  const pgbouncer = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find((path) => existsSync(path));
  if (postgresBin === undefined || pgbouncer === undefined)
    throw new RequirementError(`${POSTGRES_HOME} or pgbouncer is not where Debian has it`);
  const python = await ensurePython();
  return {
    patroni: join(python, "patroni"),
    schemathesis: join(python, "schemathesis"),
    postgresBin,
    pgbouncer,
    user: await serviceUser(),
  };
}

/** The folder of its programs. */
function newestPostgres(): string | undefined {
  const versionOf = (initdb: string) => Number(basename(dirname(dirname(initdb))));
  const found = globSync(`${POSTGRES_HOME}/*/bin/initdb`);
  const newest = found.sort((one, other) => versionOf(other) - versionOf(one))[0];
  return newest && dirname(newest);
}

/** The folder of the programs of a virtual environment, which is made anew when what it is to hold has changed. */
async function ensurePython(): Promise<string> {
  // Root's cache is for root alone; Patroni runs as another user.
  const folder =
    process.getuid?.() === 0 ? "/var/tmp/patroni-injector-services" : join(cacheFolder(), "services");
  const stamp = join(folder, "requirements.txt");
  const wanted = await readFile(REQUIREMENTS, "utf8");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return join(folder, "bin");
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
  return join(folder, "bin");
}

async function serviceUser(): Promise<Programs["user"]> {
  const { uid, gid } = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  if (uid !== 0) return { uid, gid };
  const id = async (flag: string) => Number((await run("id", [flag, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}
