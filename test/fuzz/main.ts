/** `npm run fuzz`: a `serve` process, everything that may arrive at its HTTPS port, and admissions that must go on all the while. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { patroniPod } from "../../bench/webhook/pod.ts";
import { reviewOf } from "../../bench/webhook/review.ts";
import { Program } from "../../demo/program.ts";
import { MUTATE_PATH } from "../../src/contract/names.ts";
import { Random } from "../chaos/random.ts";
import { GoTransport } from "../chaos/rollout/go-transport.ts";
import { load } from "../chaos/rollout/load.ts";
import { clientHello, mutated, randomBytes, throwAt } from "./bytes.ts";
import { Crowd } from "./crowd.ts";
import { exchange } from "./exchange.ts";
import { SHAPES } from "./shapes.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3000" },
    connections: { type: "string", default: "10000" },
    "per-second": { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** As in the container, whose memory is limited to 384 MiB. */
const HEAP = { NODE_OPTIONS: "--max-old-space-size=128 --max-semi-space-size=4" };

/** MiB that the process may grow by under all of it: it has 384 as a container, and rests at about 130. */
const MOST_GROWTH_MIB = 180;
/** Lines of the log a second that all of it may cause, beside those of the admissions. */
const MOST_LINES_PER_SECOND = 5;

const CONFIG = `
webhook: { host: 127.0.0.1, port: 0, registration: { mode: none } }
operations: { host: 127.0.0.1, port: 0 }
drainSeconds: 0
`;

interface Target {
  readonly program: Program;
  readonly port: number;
  readonly operationsPort: number;
  readonly random: Random;
}

const OVERLOAD = "reviews of large pods, 600 at a time";

/** Each leaves nothing behind. */
const ATTACKS: Readonly<
  Record<string, (target: Target, rounds: number, connections: number) => Promise<string>>
> = {
  async "random bytes, cut and changed TLS handshakes"({ port, random }, rounds) {
    const hello = await clientHello();
    await inParallel(20, rounds, () => {
      const bytes =
        random.below(3) === 0 ? randomBytes(random, 1 + random.below(2000)) : mutated(random, hello);
      return throwAt(port, bytes, random.below(100), random.below(2) === 0);
    });
    return `${rounds} connections`;
  },

  async "random and ambiguous requests inside of TLS"({ port, random }, rounds) {
    const review = JSON.stringify(reviewOf(patroniPod(10_000)));
    let wrong = 0;
    await inParallel(10, rounds / 5, async () => {
      const { bytes, ends } = random.pick(SHAPES);
      const whole = Buffer.from(bytes(review), "latin1");
      const isWhole = random.below(2) === 0;
      const sent = isWhole ? whole : mutated(random, whole.subarray(0, 20_000));
      const { reviews } = await exchange(port, sent, isWhole ? 1000 : 50);
      if (isWhole && ends === "refused" && reviews > 0) wrong++;
    });
    if (wrong > 0) throw new Error(`${wrong} requests that must be refused were answered`);
    return `${Math.round(rounds / 5)} connections`;
  },

  async "idle connections, most without TLS"({ port }, _, connections) {
    const crowd = new Crowd(port);
    await Promise.all([crowd.join("tcp", connections * 0.8), crowd.join("tls", connections * 0.2)]);
    const { open, opened } = crowd;
    crowd.leave();
    return `${opened} were opened, ${open} are open at the end`;
  },

  async "heads and bodies that never end"({ port }) {
    const crowd = new Crowd(port);
    const head = `POST ${MUTATE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    await Promise.all([
      crowd.join("tls", 400, `${head}X-A: `),
      crowd.join("tls", 400, `${head}Content-Length: 100000\r\n\r\n{"kind":`),
    ]);
    await delay(12_000);
    const { open } = crowd;
    crowd.leave();
    if (open > 0) throw new Error(`${open} connections were not closed`);
    return "800 connections, each closed in time";
  },

  async "bodies that almost reach the limit, and stop"({ port }) {
    const crowd = new Crowd(port);
    const head = `POST ${MUTATE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7000000\r\n\r\n`;
    await crowd.join("tls", 60, head + "x".repeat(6_900_000));
    await delay(3000);
    crowd.leave();
    return "60 bodies of 6.9 MB";
  },

  /** As many as three API servers have under way at most. More than can be done: some calls may be put off until it is too late. */
  async [OVERLOAD]({ port }, rounds) {
    const review = JSON.stringify(reviewOf(patroniPod(100_000)));
    let good = 0;
    let retried = 0;
    const apiServers = Array.from(
      { length: 3 },
      () => new GoTransport({ host: "127.0.0.1", port, timeoutMs: 30_000 }),
    );
    await Promise.all(
      apiServers.map((transport) =>
        inParallel(200, rounds / 3, async () => {
          const { status, retries } = await transport.call(MUTATE_PATH, review);
          if (status === 200) good++;
          if (retries > 0) retried++;
        }),
      ),
    );
    for (const transport of apiServers) transport.close();
    return `${good} of ${rounds} were answered, ${retried} of them after a 429`;
  },
};

process.exitCode = await fuzz();

async function fuzz(): Promise<number> {
  const seed = Number(values.seed);
  process.stdout.write(`fuzz: seed ${seed}\n`);
  const folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  const config = join(folder, "config.yaml");
  await writeFile(config, CONFIG);
  const program = new Program(["serve", "--config", config], HEAP);
  try {
    const { webhook, operations } = (await program.said("listening")) as unknown as Record<
      string,
      { port: number }
    >;
    const [port, operationsPort] = [webhook?.port ?? 0, operations?.port ?? 0];
    return await attack({ program, port, operationsPort, random: new Random(seed) });
  } finally {
    await program.stop();
    await rm(folder, { recursive: true });
  }
}

async function attack(target: Target): Promise<number> {
  const transport = new GoTransport({ host: "127.0.0.1", port: target.port, timeoutMs: 5000 });
  const body = JSON.stringify(reviewOf(patroniPod(10_000)));
  let during = "";
  const admit = async (): Promise<void> => {
    const { status } = await transport.call(MUTATE_PATH, body).catch((error: Error) => {
      throw new Error(`${error.message}, during: ${during}`);
    });
    if (status !== 200) throw new Error(`answered ${status}, during: ${during}`);
  };
  await load(200, admit, AbortSignal.timeout(3000));
  const restMib = await residentMib(target);
  const ended = new AbortController();
  const admissions = load(Number(values["per-second"]), admit, ended.signal);
  const failures: string[] = [];
  let mostMib = 0;
  for (const [name, run] of Object.entries(ATTACKS)) {
    during = name;
    const peak = watchPeak(target);
    const lines = target.program.log.filter(({ msg }) => msg !== "review").length;
    const began = performance.now();
    const outcome = await run(target, Number(values.rounds), Number(values.connections)).catch(
      (error: Error) => {
        failures.push(`${name}: ${error.message}`);
        return "failed";
      },
    );
    const seconds = (performance.now() - began) / 1000;
    const said = target.program.log.filter(({ msg }) => msg !== "review").length - lines;
    if (said > 10 + seconds * MOST_LINES_PER_SECOND)
      failures.push(`${name}: ${said} lines of log in ${seconds} s`);
    const mib = await peak();
    mostMib = Math.max(mostMib, mib);
    process.stdout.write(
      `${name}: ${outcome}; ${seconds.toFixed(1)} s, ${said} lines, resident at most ${mib} MiB\n`,
    );
  }
  ended.abort();
  const { calls, failures: failed, latenciesMs } = await admissions;
  const lost = [...failed].map(([why, count]) => `${count} × ${why}`);
  failures.push(
    ...lost.filter((line) => !line.endsWith(OVERLOAD)).map((line) => `admissions meanwhile: ${line}`),
  );
  if (mostMib - restMib > MOST_GROWTH_MIB) failures.push(`grew from ${restMib} to ${mostMib} MiB`);
  await delay(1500);
  if (!(await isReady(target))) failures.push("is not ready afterwards");
  await admit().catch((error: Error) => failures.push(`afterwards: ${error.message}`));
  transport.close();
  const sorted = latenciesMs.toSorted((one, other) => one - other);
  process.stdout.write(
    [
      `admissions meanwhile: ${calls}, p50 ${sorted[sorted.length >> 1]?.toFixed(1)} ms, longest ${sorted.at(-1)?.toFixed(0)} ms`,
      ...lost.map((line) => `  ${line}`),
      `resident at rest ${restMib} MiB, at most ${mostMib} MiB, now ${await residentMib(target)} MiB`,
      ...(failures.length === 0 ? ["healthy afterwards"] : failures),
      "",
    ].join("\n"),
  );
  return failures.length === 0 ? 0 : 1;
}

async function inParallel(lanes: number, count: number, run: () => Promise<void>): Promise<void> {
  let left = count;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (left-- > 0) await run();
    }),
  );
}

/** @returns ends the watching, and gives the most that was resident */
function watchPeak(target: Target): () => Promise<number> {
  let most = 0;
  const look = async (): Promise<void> => {
    most = Math.max(most, await residentMib(target));
  };
  const timer = setInterval(() => void look(), 100);
  return async () => {
    clearInterval(timer);
    await look();
    return most;
  };
}

async function residentMib({ program }: Target): Promise<number> {
  const status = await readFile(`/proc/${program.pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024);
}

async function isReady({ operationsPort }: Target): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${operationsPort}/readyz`);
  await answer.arrayBuffer();
  return answer.ok;
}
