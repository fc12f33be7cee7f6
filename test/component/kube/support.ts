import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import type { FaultMatch, FaultOrder } from "../../../demo/kube-api/faults.ts";
import { type KubeApi, type KubeApiOptions, startKubeApi } from "../../../demo/kube-api/server.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { connect, KubeConnection } from "../../../src/kube/connection.ts";
import type { WatchTimes } from "../../../src/kube/watch.ts";

/** Anything with an end to it, such as a test's context. */
export interface Scope {
  after(end: () => Promise<void> | void): void;
}

/** As short as the protocol allows: a watch is asked for in whole seconds. */
export const FAST: WatchTimes = {
  watchMs: 600,
  graceMs: 200,
  firstPauseMs: 20,
  longestPauseMs: 200,
  steadyMs: 300,
};

export async function temporaryFolder(scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "patroni-injector-kube-"));
  scope.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** An API server, and a connection to it by a kubeconfig file. */
export async function startConnected(scope: Scope, options: KubeApiOptions = {}) {
  const api = await startKubeApi(options);
  scope.after(() => api.close());
  const kubeconfig = join(await temporaryFolder(scope), "kubeconfig");
  await writeFile(kubeconfig, api.kubeconfig());
  return { api, kubeconfig, connection: connect(kubeconfig) };
}

/** A server that answers whatever is wanted, plain. */
export async function startPlain(scope: Scope, answer: RequestListener): Promise<KubeConnection> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.after(() => void server.close().closeAllConnections());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return new KubeConnection(() => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: "plain", server: url, skipTLSVerify: true }, { name: "nobody" });
    return config;
  });
}

/** Orders a fault for what `user` asks; by default all that the connection under test asks. */
export function order(api: KubeApi, fault: FaultOrder, match: FaultMatch = {}) {
  return api.faults.add({ ...fault, match: { user: "kubernetes-admin", ...match } });
}

/** How often something was asked, as the server's log has it. */
export const asked = (api: KubeApi, verb: string, resource: string): number =>
  api.audit.entries.filter((entry) => entry.verb === verb && entry.resource === resource).length;

/** A second client, whom the faults do not meet. */
export async function bystander(scope: Scope, api: KubeApi): Promise<KubeConnection> {
  const kubeconfig = join(await temporaryFolder(scope), "bystander");
  await writeFile(kubeconfig, api.kubeconfig("bystander"));
  return connect(kubeconfig);
}

export const service = (name: string, spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, ...metadata },
  spec,
});

/** Waits until something holds. @throws Error after ten seconds */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`still not: ${what}`);
    await sleep(5);
  }
}
