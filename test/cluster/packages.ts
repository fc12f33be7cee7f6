import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

/** What the machine lacks, and what to do about it. */
export class RequirementError extends Error {
  override readonly name = "RequirementError";
}

export interface Requirement {
  /** Its name in Debian and what descends from it. */
  readonly package: string;
  /** A command, or a pattern of absolute paths, that is there where the package is, whoever installed it. */
  readonly proof: string;
  readonly purpose: string;
}

/** Where root's programs are; some ways to become root leave it out of PATH. */
export const SYSTEM_PATH = [process.env.PATH, "/usr/sbin", "/sbin"].filter(Boolean).join(delimiter);

/**
 * Installs what is missing, where apt-get is there and may.
 *
 * @throws RequirementError that names all that is missing
 */
export async function ensurePackages(
  wanted: readonly Requirement[],
  log: (line: string) => void,
): Promise<void> {
  const missing = missingPackages(wanted, isThere);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isThere("apt-get")) throw new RequirementError(explain(missing));
  const packages = missing.map((requirement) => requirement.package);
  log(`apt-get installs ${packages.join(" ")}`);
  try {
    await aptGet(["update"]);
    await aptGet(["install", "--yes", "--no-install-recommends", ...packages]);
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    throw new RequirementError(`${explain(missing)}\n${stderr || message}`, { cause });
  }
}

/** @param isPresent whether a {@link Requirement.proof} is there */
export function missingPackages(
  wanted: readonly Requirement[],
  isPresent: (proof: string) => boolean,
): readonly Requirement[] {
  return wanted.filter(({ proof }) => !isPresent(proof));
}

export function explain(missing: readonly Requirement[]): string {
  const lines = missing.map(({ package: name, proof, purpose }) => `  ${name}: ${proof}, which ${purpose}`);
  return `Missing Debian packages:\n${lines.join("\n")}`;
}

function isThere(proof: string): boolean {
  const places = isAbsolute(proof)
    ? [proof]
    : SYSTEM_PATH.split(delimiter).map((folder) => join(folder, proof));
  return places.some((place) => globSync(place).length > 0);
}

async function aptGet(args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: SYSTEM_PATH, DEBIAN_FRONTEND: "noninteractive" };
  await promisify(execFile)("apt-get", ["--quiet", ...args], { env, maxBuffer: 1 << 26 });
}
