import { readFile } from "node:fs/promises";
import type { Own } from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";
import type { ReloadOptions } from "../controller/reload/options.ts";
import { keptIn, secretNames } from "./kept.ts";

/**
 * How the controller looks after reload APIs. The environment's `RELOAD_TOKEN_FILE` names the file with its token for them.
 *
 * @param now as the API server has it
 */
export function reloadLook(
  config: Config,
  own: Own,
  environment: NodeJS.ProcessEnv,
  now: () => Date,
): ReloadOptions {
  const file = environment.RELOAD_TOKEN_FILE;
  return {
    authorities: { namespace: keptIn(config, own), name: secretNames(config).reloadAuthorities },
    now,
    ...(file ? { token: async () => (await readFile(file, "utf8")).trim() } : {}),
  };
}
