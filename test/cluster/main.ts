/** `npm run cluster -- up|down|status`: a cluster to play with. */
import { startCluster } from "./cluster.ts";
import { readState } from "./node/state.ts";
import { tearDown } from "./node/tear-down.ts";

const NAME = "play";
const [command] = process.argv.slice(2);
if (command === "up") {
  const c = await startCluster({ name: NAME, detached: true }, (line) => process.stderr.write(`${line}\n`));
  process.stderr.write(`${c.folder}\n`);
} else if (command === "down") {
  const state = await readState(NAME);
  if (state) await tearDown(state);
}
