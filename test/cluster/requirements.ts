import { execFile } from "node:child_process";
import { accessSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

/** What the machine lacks, and what to do about it. */
export class RequirementError extends Error {
  override readonly name = "RequirementError";
}

interface Requirement {
  /** Its name in Debian and what descends from it. */
  readonly package: string;
  /** A command or an absolute path that is there where the package is, whoever installed it. */
  readonly proof: string;
  readonly purpose: string;
}

/** Beside Go, which Debian has too old, and Node. */
export const REQUIREMENTS: readonly Requirement[] = [
  { package: "iproute2", proof: "ip", purpose: "makes the node's network" },
  { package: "iptables", proof: "iptables", purpose: "carries Services" },
  { package: "containernetworking-plugins", proof: "/usr/lib/cni/bridge", purpose: "connects pods" },
  { package: "gcc", proof: "gcc", purpose: "builds runc and the pause image" },
  { package: "libc6-dev", proof: "/usr/include/stdio.h", purpose: "builds runc and the pause image" },
  { package: "pkg-config", proof: "pkg-config", purpose: "builds runc" },
  { package: "libseccomp-dev", proof: "/usr/include/seccomp.h", purpose: "builds runc" },
  { package: "buildah", proof: "buildah", purpose: "builds images" },
  { package: "debootstrap", proof: "debootstrap", purpose: "builds images" },
];

/** Where root's programs are; some ways to become root leave it out of PATH. */
export const SYSTEM_PATH = [process.env.PATH, "/usr/sbin", "/sbin"].filter(Boolean).join(delimiter);

/**
 * Makes sure that the machine has what a cluster needs. Installs what is missing where apt-get is there.
 *
 * @throws RequirementError that names all that is missing
 */
export async function ensureRequirements(log: (line: string) => void): Promise<void> {
  if (process.platform !== "linux") throw new RequirementError("A cluster needs Linux.");
  if (process.getuid?.() !== 0) {
    const asRoot = 'sudo env PATH="$PATH" npm run …';
    throw new RequirementError(`A cluster needs root, for namespaces, control groups and mounts: ${asRoot}`);
  }
  const missing = missingRequirements(isThere);
  if (missing.length === 0) return;
  if (!isThere("apt-get")) throw new RequirementError(explain(missing));
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

const CGROUPS = "/sys/fs/cgroup";
/** `f_type` of statfs(2). */
const OVERLAYFS = 0x794c7630;

/**
 * Makes sure that containers can run here: inside of another container, they often cannot.
 *
 * @param folder where images are unpacked
 * @throws RequirementError that says what to change
 */
export async function ensureHost(folder: string): Promise<void> {
  const inContainer = "In a container, it must be privileged, and";
  const { type } = await statfs(folder);
  if (type === OVERLAYFS) {
    throw new RequirementError(
      `${folder} lies on an overlay, on which no image can be unpacked. ${inContainer} have a volume there.`,
    );
  }
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n").map((line) => line.split(" "));
  const readOnly = mounts.filter(([, place = "", type = "", options = ""]) => {
    return place.startsWith(CGROUPS) && type.startsWith("cgroup") && options.split(",").includes("ro");
  });
  if (readOnly.length > 0) {
    throw new RequirementError(
      `${CGROUPS} cannot be written to. ${inContainer} have the control groups writable.`,
    );
  }
}

/** @param isPresent whether a {@link Requirement.proof} is there */
export function missingRequirements(isPresent: (proof: string) => boolean): readonly Requirement[] {
  return REQUIREMENTS.filter(({ proof }) => !isPresent(proof));
}

export function explain(missing: readonly Requirement[]): string {
  const lines = missing.map(({ package: name, proof, purpose }) => `  ${name}: ${proof}, which ${purpose}`);
  return `Missing Debian packages:\n${lines.join("\n")}`;
}

function isThere(proof: string): boolean {
  const candidates = isAbsolute(proof)
    ? [proof]
    : SYSTEM_PATH.split(delimiter).map((folder) => join(folder, proof));
  return candidates.some((path) => {
    try {
      accessSync(path);
      return true;
    } catch {
      return false;
    }
  });
}

async function aptGet(args: readonly string[]): Promise<void> {
  const env = { ...process.env, PATH: SYSTEM_PATH, DEBIAN_FRONTEND: "noninteractive" };
  await promisify(execFile)("apt-get", ["--quiet", ...args], { env, maxBuffer: 1 << 26 });
}
