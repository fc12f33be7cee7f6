import { readdir, readFile } from "node:fs/promises";

const NAME = "pgbouncer";

/**
 * Sends a SIGHUP to every PgBouncer that is seen: the pod's containers must share their process namespace
 * (`shareProcessNamespace`), and this process must run as the same user.
 *
 * @throws Error that says which of the two is missing
 */
export async function signalPgbouncer(): Promise<void> {
  const pids = await pidsOf(NAME);
  if (pids.length === 0)
    throw new Error(
      "no PgBouncer is seen: the pod's containers do not share their process namespace (shareProcessNamespace)",
    );
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGHUP");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const why =
        code === "EPERM"
          ? "it runs as another user than the sidecar, and only the same user may signal it"
          : (error as Error).message;
      throw new Error(`PgBouncer (process ${pid}) cannot be signalled: ${why}`, { cause: error });
    }
  }
}

async function pidsOf(name: string): Promise<number[]> {
  const folders = (await readdir("/proc")).filter((entry) => /^[0-9]+$/.test(entry));
  const found = await Promise.all(
    folders.map(async (pid) => {
      const comm = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      return comm.trim() === name ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
