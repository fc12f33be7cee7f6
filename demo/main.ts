/** `npm run demo`: the whole way of a pod through the injector, on this machine and without a cluster. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { WEBHOOK_CONFIGURATION } from "../src/contract/names.ts";
import { ApiClient } from "./client.ts";
import { findPlace } from "./failover/place.ts";
import { type FailoverResult, failoverScenario } from "./failover/scenario.ts";
import { type InjectionResult, injectionScenario } from "./injection/scenario.ts";
import { type KubeApi, startKubeApi } from "./kube-api/server.ts";
import { Program } from "./program.ts";
import { Timeline } from "./timeline.ts";

const USAGE = `Usage: npm run demo [-- --json] [-- --keep]

  --json  print the story, the checks and the diff as JSON
  --keep  leave everything running until Ctrl-C

Exit code 0 only if every pod came out as designed.
`;

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

async function demo(): Promise<number> {
  const timeline = new Timeline(flags.json ? undefined : process.stdout);
  const folder = await mkdtemp(join(tmpdir(), "patroni-injector-demo-"));
  const api = await startKubeApi();
  timeline.add("API server", `listens on ${api.url} (embedded: for tests and demos)`);
  const client = new ApiClient(api.url, api.caPem, api.tokens.issue("you"));
  let program: Program | undefined;
  try {
    await client.create("/api/v1/nodes", NODE);
    await client.create("/api/v1/namespaces/default/services", KUBERNETES);
    const { config, kubeconfig } = await files(folder, api);
    program = new Program(["serve", "--config", config, "--kubeconfig", kubeconfig]);
    timeline.add("injector", `patroni-injector serve starts as process ${program.pid}`);
    await ready(program, api);
    timeline.add(
      "injector",
      `serves HTTPS with a certificate of its own; ${WEBHOOK_CONFIGURATION} is registered`,
    );

    const place = await findPlace();
    const result = await injectionScenario(
      client,
      timeline,
      (namespace, pod) => api.get("pods", namespace, pod) !== undefined,
      place?.ports ?? { postgres: 5432, rest: 8008 },
    );
    if (!flags.json) timeline.text(changeOf(timeline, result));
    const failover =
      place === undefined ? undefined : await failoverScenario({ api, client, timeline, place, folder });
    if (failover === undefined)
      timeline.add("demo", "no failovers: they need three loopback addresses (Linux)");
    report(timeline, result, failover);
    if (flags.keep) await untilInterrupted(timeline, kubeconfig);
    return failures(result, failover).length === 0 ? 0 : 1;
  } finally {
    await program?.stop();
    client.close();
    await api.close();
    await rm(folder, { recursive: true });
  }
}

const NODE = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "node-1", labels: { "kubernetes.io/os": "linux" } },
  status: { nodeInfo: { kubeletVersion: "v1.36.3", operatingSystem: "linux" } },
};

/** The API server's own Service: a mesh must not stand between the sidecar and it. */
const KUBERNETES = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "kubernetes", namespace: "default" },
  spec: { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"], ports: [{ name: "https", port: 443 }] },
};

async function files(folder: string, api: KubeApi): Promise<{ config: string; kubeconfig: string }> {
  const config = join(folder, "config.yaml");
  const kubeconfig = join(folder, "kubeconfig");
  const webhook = { host: "127.0.0.1", port: 0, registration: { mode: "full", url: "https://127.0.0.1:0" } };
  await writeFile(
    config,
    stringify({
      clusterDomain: "cluster.local",
      webhook,
      operations: { host: "127.0.0.1", port: 0 },
      drainSeconds: 0,
    }),
  );
  await writeFile(kubeconfig, api.kubeconfig("patroni-injector"), { mode: 0o600 });
  return { config, kubeconfig };
}

/** The process listens, and what it answers on `/readyz` says that certificate, caches and registration are there. */
async function ready(program: Program, api: KubeApi): Promise<void> {
  const { operations } = (await program.said("listening")) as unknown as { operations: { port: number } };
  const deadline = performance.now() + 15_000;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${operations.port}/readyz`);
    const text = await answer.text();
    if (answer.ok && api.get(RESOURCE, "", WEBHOOK_CONFIGURATION) !== undefined) return;
    if (performance.now() > deadline) throw new Error(`patroni-injector serve is not ready: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const RESOURCE = "mutatingwebhookconfigurations.admissionregistration.k8s.io";

const changeOf = (timeline: Timeline, { diff }: InjectionResult): string =>
  `\nWhat was changed in the first pod:\n\n${diff
    .split("\n")
    .map((line) => timeline.diffLine(line))
    .join("\n")}`;

type Check = { readonly says: string; readonly holds: boolean };

const checksOf = ({ pods }: InjectionResult, failover: FailoverResult | undefined): Check[] => [
  ...pods.flatMap(({ checks }) => checks),
  ...(failover?.checks ?? []),
];

const failures = (result: InjectionResult, failover: FailoverResult | undefined): Check[] =>
  checksOf(result, failover).filter(({ holds }) => !holds);

function report(timeline: Timeline, result: InjectionResult, failover: FailoverResult | undefined): void {
  const bad = failures(result, failover).length;
  if (flags.json) {
    const data = { ok: bad === 0, timeline: timeline.entries, ...result, failover: failover ?? null };
    process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
    return;
  }
  const checks = checksOf(result, failover).length;
  timeline.add("demo", `${checks - bad} of ${checks} checks hold`, bad === 0 ? "good" : "bad");
}

async function untilInterrupted(timeline: Timeline, kubeconfig: string): Promise<void> {
  timeline.add("demo", `left running; KUBECONFIG=${kubeconfig}; Ctrl-C ends it`);
  for (const signal of SIGNALS) process.off(signal, endAtOnce);
  await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** By way of `exit`, which ends the processes that were started. */
function endAtOnce(): void {
  process.exit(130);
}

for (const signal of SIGNALS) process.on(signal, endAtOnce);
if (flags.help) process.stdout.write(USAGE);
else process.exitCode = await demo();
