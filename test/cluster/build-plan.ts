import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { BINARIES, type BinaryName, MODULES } from "./tools.ts";

/** One call of `go build`, and where its result is kept. */
export interface BuildPlan {
  readonly name: BinaryName;
  readonly version: string;
  /** Folder of the go.mod. */
  readonly moduleFolder: string;
  readonly package: string;
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The finished binary. Its folder's name changes with everything that the binary is made from. */
  readonly binary: string;
}

/** Names a folder to use in place of `$XDG_CACHE_HOME/patroni-injector`. */
export const CACHE_ENV = "PATRONI_INJECTOR_TEST_CACHE";

/** Where built binaries outlive a checkout. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env[CACHE_ENV] || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "patroni-injector");
}

export async function planBuild(name: BinaryName, cache: string): Promise<BuildPlan> {
  const tool = BINARIES[name];
  const { module, cgo, tags, stamps } = MODULES[tool.module];
  const moduleFolder = join(import.meta.dirname, "tools", tool.module);
  const goMod = await readFile(join(moduleFolder, "go.mod"), "utf8");
  const goSum = await readFile(join(moduleFolder, "go.sum"), "utf8");
  const version = requiredVersion(goMod, module);

  const variables = Object.entries(stamps(version)).map(([variable, value]) => `-X=${variable}=${value}`);
  const flags = [
    "-trimpath",
    "-buildvcs=false",
    `-tags=${tags.join(",")}`,
    `-ldflags=${["-s", "-w", ...variables].join(" ")}`,
  ];
  // The user's own GOFLAGS or workspace must not change what is built under this key.
  const env = { CGO_ENABLED: cgo ? "1" : "0", GOFLAGS: "-mod=readonly", GOWORK: "off" };
  const inputs = JSON.stringify([goMod, goSum, flags, env, process.platform, process.arch]);
  const key = createHash("sha256").update(inputs).digest("hex").slice(0, 12);
  const binary = join(cache, "bin", `${tool.module}-${version}-${key}`, name);
  return { name, version, moduleFolder, package: tool.package, flags, env, binary };
}

/** The version in the `require` line of a module, e.g. `v1.36.3`. */
function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split("\n")) {
    const [path, version] = line
      .replace(/^require\s/, "")
      .trim()
      .split(/\s+/);
    if (path === module && version?.startsWith("v")) return version;
  }
  throw new Error(`go.mod requires no ${module}`);
}
