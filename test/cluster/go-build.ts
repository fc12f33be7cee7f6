import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { createInterface } from "node:readline";
import type { BuildPlan } from "./build-plan.ts";

/** Why a binary could not be built, and what to do about it. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}

const PROGRESS_EVERY_MS = 15_000;
const LINES_KEPT = 30;

/** What Go prints for troubles whose remedy lies outside the code. First match counts. */
const TROUBLES: readonly { readonly pattern: RegExp; readonly advice: string }[] = [
  {
    pattern: /go\.mod requires go >= |invalid go version|unknown directive: (tool|godebug)/,
    advice: "Go 1.26 or later is needed: see https://go.dev/doc/install.",
  },
  {
    pattern:
      /dial (tcp|udp)|no such host|connection refused|i\/o timeout|TLS handshake timeout|module lookup disabled/,
    advice:
      "The Go modules could not be downloaded. Set GOPROXY to a module proxy that this machine can reach " +
      "(`go env GOPROXY` shows the one in use), and HTTPS_PROXY if the way leads through one.",
  },
  {
    pattern: /no space left on device/,
    advice: "The disk is full. Go's build cache needs about 3 GB here: `go env GOCACHE` shows where it is.",
  },
  {
    pattern: /C compiler "[^"]*" not found|cgo: /,
    advice: "A C compiler is needed for this binary (Debian: build-essential, pkg-config).",
  },
];

/**
 * Builds one binary to `output`, at low priority: what else runs on the machine comes first.
 *
 * @throws BuildError that says what is missing
 */
export async function goBuild(plan: BuildPlan, output: string, log: (line: string) => void): Promise<void> {
  const started = performance.now();
  const child = spawn("go", ["build", "-v", ...plan.flags, "-o", output, plan.package], {
    cwd: plan.moduleFolder,
    env: { ...process.env, ...plan.env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);

  const lines: string[] = [];
  let packages = 0;
  createInterface(child.stderr).on("line", (line) => {
    if (/^[\w.-]+(\/\S+)?$/.test(line))
      packages += 1; // -v names each package as it is compiled
    else lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
  });
  const progress = setInterval(() => {
    log(`${plan.name}: ${packages} packages compiled, ${secondsSince(started)} s`);
  }, PROGRESS_EVERY_MS);

  try {
    const [code, signal] = await exited;
    if (code !== 0) throw new BuildError(explain(plan, signal ?? `exit code ${code}`, lines));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const advice = "`go` is not in PATH. Install Go 1.26 or later: see https://go.dev/doc/install.";
    throw new BuildError(`${plan.name} ${plan.version} is not built yet, and ${advice}`, { cause });
  } finally {
    clearInterval(progress);
  }
  log(`${plan.name}: built in ${secondsSince(started)} s`);
}

function explain(plan: BuildPlan, how: string, lines: readonly string[]): string {
  const output = lines.join("\n");
  const advice = TROUBLES.find(({ pattern }) => pattern.test(output))?.advice;
  const parts = [`${plan.name} ${plan.version} could not be built (${how}).`, advice, output];
  return parts.filter((part) => part).join("\n");
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0);
}
