import { readFile, statfs } from "node:fs/promises";
import { ensurePackages, type Requirement, RequirementError } from "./packages.ts";

/** Beside Go, which Debian has too old, and Node. */
const REQUIREMENTS: readonly Requirement[] = [
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
  await ensurePackages(REQUIREMENTS, log);
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
