import { runSidecar } from "./run.ts";
import { readPoolerSettings } from "./settings.ts";

/** Beside PgBouncer in a pod without Patroni: there is nothing to publish. Throws where the settings are not allowed. */
export function pooler(environment: NodeJS.ProcessEnv): (stopped: AbortSignal) => Promise<void> {
  const config = readPoolerSettings(environment);
  return (stopped) => runSidecar(config, environment, undefined, undefined, stopped);
}
