import {
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  Watch,
} from "@kubernetes/client-node";
import type { KubeApi, KubeApiOptions } from "../../../demo/kube-api/server.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { type Scope, startServer } from "./support.ts";

/** A server and a real client of it, for the time of one test. */
export async function startWithClient(scope: Scope, options: KubeApiOptions = {}) {
  const api = await startServer(scope, options);
  return { api, ...clientsOf(api) };
}

export function clientsOf(api: KubeApi, username?: string) {
  const config = new KubeConfig();
  config.loadFromString(api.kubeconfig(username));
  return {
    config,
    core: config.makeApiClient(CoreV1Api),
    coordination: config.makeApiClient(CoordinationV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    watch: new Watch(config),
  };
}

/** The code and the Status of a call that must be refused. */
export async function refusalOf(call: Promise<unknown>): Promise<{ code: number; status: JsonObject }> {
  try {
    await call;
  } catch (error) {
    const { code, body } = error as { code: number; body: string };
    if (typeof body === "string") return { code, status: JSON.parse(body) };
    throw error;
  }
  throw new Error("the call was not refused");
}

export interface SeenEvent {
  readonly type: string;
  readonly object: JsonObject & { metadata: JsonObject & { name?: string; resourceVersion: string } };
}

/** Watches with a real client, and keeps what it sees. */
export async function watching(
  { watch }: { watch: Watch },
  path: string,
  query: Record<string, string | number | boolean> = {},
) {
  const events: SeenEvent[] = [];
  const state: { ended: boolean; error: unknown } = { ended: false, error: undefined };
  const controller = await watch.watch(
    path,
    query,
    (type, object) => events.push({ type, object }),
    (error) => {
      state.ended = true;
      state.error = error;
    },
  );
  return {
    events,
    state,
    /** `TYPE name` of every event so far. */
    get lines() {
      return events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ""}`.trim());
    },
    stop: () => controller.abort(),
  };
}
