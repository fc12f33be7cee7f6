import { startEmbedded } from "../api-server.ts";
import { runSuite } from "../suite/run.ts";

runSuite(() => startEmbedded({ bookmarkEvery: 200 }));
