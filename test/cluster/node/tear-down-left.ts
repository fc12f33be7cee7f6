/** Takes down the cluster that `argv` names, where its owner could not. */
import { readState } from "./state.ts";
import { tearDown } from "./tear-down.ts";

const state = await readState(process.argv[2] ?? "");
if (state !== undefined) await tearDown(state);
