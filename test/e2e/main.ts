/** `npm run test:e2e`: the suite on a real cluster, and a report of what it measured. README.md says what it needs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "../../bench/machine.ts";
import { BuildError } from "../cluster/go-build.ts";
import { ImageError } from "../cluster/images/command.ts";
import { RequirementError } from "../cluster/packages.ts";
import { reportText } from "./analysis/report.ts";
import { figuresIn } from "./rig/figures.ts";
import { EnvironmentError, openTarget } from "./rig/open-target.ts";
import { TARGET_ENV, type Target } from "./rig/target.ts";
import { EXTENT_ENV, EXTENTS, type Extent } from "./suite/selection.ts";

const SUITE = join(import.meta.dirname, "suite");
const USAGE = `usage: npm run test:e2e -- [--extent quick|usual|all] [--only <name>]
  --extent <how much>   quick: 8 minutes; usual: 60; all: every fault on every form of cluster, 90
  --only <name>         one file of test/e2e/suite, without .test.ts; may be given several times
`;

interface Options {
  readonly only: readonly string[];
  readonly extent: Extent;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** The exit code of the test run. An interruption ends the run, and then what was started for it. */
async function runSuite(target: Target, { only, extent }: Options): Promise<number> {
  const all = (await readdir(SUITE)).filter((file) => file.endsWith(".test.ts")).sort();
  const files = all.filter((file) => only.length === 0 || only.includes(file.replace(".test.ts", "")));
  if (files.length === 0) throw new EnvironmentError(`there are: ${all.join(" ")}`);
  // One file after the other: two clusters at once would measure each other.
  const args = [
    "--test",
    "--test-concurrency=1",
    "--test-reporter=spec",
    ...files.map((file) => join(SUITE, file)),
  ];
  const env = {
    ...process.env,
    [TARGET_ENV]: JSON.stringify(target),
    [EXTENT_ENV]: extent,
  };
  const child = spawn(process.execPath, args, { stdio: "inherit", env });
  const interrupt = () => child.kill("SIGINT");
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const [code] = await once(child, "close");
    return (code as number | null) ?? 1;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

async function main(options: Options): Promise<number> {
  const out = await mkdtemp(join(tmpdir(), "patroni-injector-e2e-"));
  const machine = describeMachine(undefined);
  const { target, close } = await openTarget(out, process.env, say);
  try {
    const code = await runSuite(target, options);
    const figures = figuresIn(out);
    const file = join(out, "report.json");
    await writeFile(file, `${JSON.stringify({ at: new Date().toISOString(), machine, figures }, null, 2)}\n`);
    process.stdout.write(`\n${reportText(figures)}\n\n${file}\n`);
    return code;
  } finally {
    await close();
  }
}

function optionsFrom(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        extent: { type: "string", default: "usual" },
        only: { type: "string", multiple: true, default: [] },
      },
    });
    const extent = EXTENTS.find((name) => name === values.extent);
    return extent && { only: values.only, extent };
  } catch {
    return undefined;
  }
}

const EXPECTED = [BuildError, EnvironmentError, ImageError, RequirementError];

const options = optionsFrom(process.argv.slice(2));
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = await main(options).catch((error: unknown) => {
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
    say((error as Error).message);
    return 1;
  });
}
