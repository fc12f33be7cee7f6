import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { clusterDomainIn } from "./cluster-domain.ts";
import { type Defaults, parseConfig } from "./parse.ts";
import { ConfigError } from "./problems.ts";
import type { Config } from "./schema.ts";

/**
 * Reads the configuration file.
 *
 * @throws ConfigError where the file cannot be read or has anything wrong in it
 */
export async function loadConfig(path: string, defaults: Defaults = ownDefaults()): Promise<Config> {
  return parseConfig(await readConfigText(path), path, defaults);
}

/** The configuration of an empty file. */
export const defaultConfig = (): Config => parseConfig("", "defaults", ownDefaults());

/** @throws ConfigError where the file cannot be read */
export async function readConfigText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigError([`${path}: cannot be read: ${(error as Error).message}`], { cause: error });
  }
}

/** What this process's own pod says of the cluster. */
export function ownDefaults(): Defaults {
  return { clusterDomain: clusterDomainIn(textOf("/etc/resolv.conf")) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
