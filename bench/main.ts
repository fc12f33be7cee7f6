import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { chooseCores, pinSelf } from "./cores.ts";

/** Each benchmark is loaded only when it is asked for. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  webhook: async () => (await import("./webhook/main.ts")).webhook,
  failover: async () => (await import("./failover/main.ts")).failover,
  audit: async () => (await import("./audit/main.ts")).audit,
  controller: async () => (await import("./controller/main.ts")).controller,
  patroni: async () => (await import("./patroni-cost/main.ts")).patroniCost,
};

const SECONDS = 3;
const QUICK_SECONDS = 0.5;

const USAGE = `usage: npm run bench -- [${Object.keys(BENCHMARKS).join("|")}] [options]

  --seconds N   how long each measurement takes (default ${SECONDS})
  --quick       ${QUICK_SECONDS} seconds each: to see that it runs, not to compare
  --json FILE   the report as data; "-" prints it in place of the table
  --check       exit code 1 if a target is missed
`;

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const [name = "webhook", ...more] = positionals;
  const load = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (load === undefined || more.length > 0)
    throw new UsageError(`unknown benchmark: ${positionals.join(" ")}`);
  const seconds = Number(values.seconds ?? (values.quick ? QUICK_SECONDS : SECONDS));
  if (!(seconds > 0 && seconds <= 600)) throw new UsageError("--seconds must be a number up to 600");

  const cores = chooseCores();
  if (cores !== undefined) pinSelf(cores.client);
  const benchmark = await load();
  const report = await benchmark({
    seconds,
    cores,
    signal,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const json = `${JSON.stringify(report.json, null, 2)}\n`;
  process.stdout.write(values.json === "-" ? json : `${report.text}\n`);
  if (values.json !== undefined && values.json !== "-") await writeFile(values.json, json);
  return values.check && report.missedTargets > 0 ? 1 : 0;
}

class UsageError extends Error {}

/** Aborted by the signals that end a program: the benchmark then ends its processes and fails. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => controller.abort(new Error(`ended by ${signal}`)));
  }
  return controller.signal;
}

const isUsageError = (error: unknown): boolean =>
  error instanceof UsageError || String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS");

const signal = interruption();
try {
  process.exitCode = await main(process.argv.slice(2), signal);
} catch (failure) {
  const error: unknown = signal.aborted ? signal.reason : failure; // what was interrupted fails in some way of its own
  const usage = isUsageError(error);
  const { message, stack } = error as Error;
  process.stderr.write(usage ? `${message}\n\n${USAGE}` : `${signal.aborted ? message : stack}\n`);
  process.exitCode = usage ? 2 : 1;
}
