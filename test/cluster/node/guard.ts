import { spawn } from "node:child_process";
import { join } from "node:path";

/** Waits for a line; where its standard input ends without one, its owner is gone, however it went. */
const GUARD = 'read -r released || exec "$@"';

/**
 * A process that takes the cluster down should this one end without a release: a crash, a signal, even SIGKILL
 * leave nothing behind. In a session of its own, so that Ctrl-C in the terminal does not end it.
 *
 * @returns the release
 */
export function guard(cluster: string): () => void {
  const script = join(import.meta.dirname, "tear-down-left.ts");
  const child = spawn("/bin/sh", ["-c", GUARD, "guard", process.execPath, script, cluster], {
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  return () => child.stdin.end("released\n");
}
