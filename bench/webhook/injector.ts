import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { type KubeApi, startKubeApi } from "../../demo/kube-api/server.ts";
import { MUTATE_PATH, WEBHOOK_CONFIGURATION } from "../../src/contract/names.ts";
import { type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { Endpoint } from "../load/connection.ts";
import { openLogPipe } from "../log-pipe.ts";
import { orItsEnd, startProcess } from "../processes.ts";
import type { Contender, StartOptions } from "./contender.ts";

const PROGRAM = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const CONFIGURATIONS = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const HOST = "127.0.0.1";
const PATIENCE_MS = 20_000;

/**
 * Starts `patroni-injector serve` as users run it: a process of its own with a configuration file, against an API server
 * (the embedded one, here in the client's process, with nothing to do once the webhook is registered), logging at its
 * default level into a pipe.
 *
 * @throws Error with its log, where it ends or is not registered in time
 */
export async function startInjector(options: StartOptions): Promise<Contender> {
  const folder = await mkdtemp(join(tmpdir(), "injector-bench-"));
  const api = await startKubeApi();
  const cleanUp = async () => {
    await api.close();
    await rm(folder, { recursive: true });
  };
  try {
    return await launch(folder, api, options, cleanUp);
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function launch(
  folder: string,
  api: KubeApi,
  { cpu, signal }: StartOptions,
  cleanUp: () => Promise<void>,
): Promise<Contender> {
  const config = join(folder, "config.yaml");
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(config, stringify(configuration()));
  await writeFile(kubeconfig, api.kubeconfig());
  const log = await openLogPipe(folder, signal);
  const child = startProcess(
    [process.execPath, PROGRAM, "serve", "--config", config, "--kubeconfig", kubeconfig],
    { cpu, signal, stdio: ["ignore", log.writer.fd, log.writer.fd] },
  );
  await log.writer.close();
  try {
    const endpoint = await orItsEnd(child, "serve", registeredEndpoint(api));
    const stop = () => child.stop().finally(cleanUp);
    return { name: "injector", pid: child.pid, endpoint, log, stop };
  } catch (error) {
    await child.stop();
    throw new Error(`patroni-injector did not start; its log:\n${await log.text()}`, { cause: error });
  }
}

/** All defaults, but for where it listens and how it is reached. */
const configuration = () => ({
  webhook: {
    host: HOST,
    port: 0,
    registration: { mode: "full", url: `https://${HOST}:0` },
  },
  operations: { host: HOST, port: 0 },
  drainSeconds: 0,
});

/** Where the API server is told to send its reviews. */
async function registeredEndpoint(api: KubeApi): Promise<Endpoint> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const configuration = api.get(CONFIGURATIONS, "", WEBHOOK_CONFIGURATION);
    for (const { clientConfig } of objectsIn(configuration?.webhooks)) {
      const { url, caBundle } = clientConfig as JsonObject;
      const { hostname, port, pathname } = new URL(String(url));
      if (pathname !== MUTATE_PATH) continue;
      const ca = Buffer.from(String(caBundle), "base64").toString();
      return { host: hostname, port: Number(port), path: `${pathname}?timeout=5s`, ca };
    }
    await delay(50);
  }
  throw new Error(`not registered within ${PATIENCE_MS} ms`);
}
