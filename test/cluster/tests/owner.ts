/** Starts the cluster that `argv` names, says so in a line on stdout, and waits to be killed. */
import { startCluster } from "../cluster.ts";

await startCluster({ name: process.argv[2] ?? "", detached: false }, () => {});
process.stdout.write("up\n");
setInterval(() => {}, 60_000);
