import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { Program } from "../../../demo/program.ts";
import { CLUSTER_LABEL, NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import type { ControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { ASSUMPTIONS } from "../../fixtures/index.ts";
import { eventually } from "../suite/eventually.ts";

/** `patroni-injector serve`, a process of its own that is registered with a control plane. */
export interface Injector {
  readonly pid: number;
  /** Replaces the configuration's `webhook` keys named here while it runs; the caller waits for the effect. */
  reconfigure(webhook: JsonObject): Promise<void>;
  stop(): Promise<void>;
}

/** What the control plane has of a node: its kubelet runs native sidecars. */
const NODE: JsonObject = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "node-1", labels: { "kubernetes.io/os": "linux" } },
  status: { nodeInfo: { kubeletVersion: "v1.36.3", operatingSystem: "linux" } },
};

const PROBE_NAMESPACE = "is-it-in-force";

/**
 * Starts `serve` with `registration.mode: full` and returns once pods are injected. It reads the Services that are
 * there now before that: whatever is created earlier counts.
 *
 * @param webhook further keys of the configuration's `webhook`
 */
export async function startInjector(plane: ControlPlane, webhook: JsonObject = {}): Promise<Injector> {
  await plane.api.request("POST", "/api/v1/nodes", NODE);
  const folder = await mkdtemp(join(tmpdir(), "patroni-injector-contract-"));
  const config = join(folder, "config.yaml");
  const configure = (keys: JsonObject) => writeFile(config, stringify(configuration(keys)));
  await configure(webhook);
  const program = new Program(["serve", "--config", config, "--kubeconfig", plane.kubeconfig.path]);
  const stop = async () => {
    await program.stop();
    await rm(folder, { recursive: true });
  };
  try {
    const { operations } = (await program.said("listening")) as unknown as { operations: { port: number } };
    await eventually("serve is ready", async () => {
      const url = `http://127.0.0.1:${operations.port}/readyz`;
      return (await fetch(url)).ok;
    });
    await prepareNamespace(plane.api, PROBE_NAMESPACE, { [NAMESPACE_LABEL]: "enabled" });
    await eventually("the webhook is in force", () => injects(plane));
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: program.pid as number, reconfigure: (keys) => configure({ ...webhook, ...keys }), stop };
}

/** The presets and the poolers' selectors are those that the fixtures take for granted. */
const configuration = (webhook: JsonObject): JsonObject => ({
  clusterDomain: "cluster.local",
  presets: [...ASSUMPTIONS.presets],
  poolers: { selectors: ASSUMPTIONS.poolers.map(({ key, values }) => ({ key, values: [...values] })) },
  webhook: {
    host: "127.0.0.1",
    port: 0,
    registration: { mode: "full", url: "https://127.0.0.1:0" },
    ...webhook,
  },
  operations: { host: "127.0.0.1", port: 0 },
  drainSeconds: 0,
});

async function injects({ api }: ControlPlane): Promise<boolean> {
  const path = `/api/v1/namespaces/${PROBE_NAMESPACE}/pods?dryRun=All`;
  const { body } = await api.request("POST", path, patroniPod("probe-0"));
  return at(body, "metadata", "labels", CLUSTER_LABEL) !== undefined;
}

/** A small pod of Patroni's, without annotations. */
export const patroniPod = (name: string, metadata: JsonObject = {}, spec: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { application: "patroni" }, ...metadata },
  spec: {
    containers: [
      {
        name: "patroni",
        image: "registry.example/patroni:4.1",
        env: [{ name: "PATRONI_SCOPE", value: "pg" }],
      },
    ],
    ...spec,
  },
});
