import { startReal } from "../api-server.ts";
import { runSuite } from "../suite/run.ts";

runSuite(startReal);
