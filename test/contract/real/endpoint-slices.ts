import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ApiClient } from "../../cluster/api-client.ts";

/** Kubernetes' own controller of EndpointSlices, as far as one Service with a selector and ready pods goes. */
export function startEndpointSlices(api: ApiClient, namespace: string, service: string) {
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const name = `${service}-x7k2p`;
  let runs = true;
  let known = "";
  const round = async (): Promise<void> => {
    const live = (await api.request("GET", `/api/v1/namespaces/${namespace}/services/${service}`)).body;
    const selector = at(live, "spec", "selector");
    if (selector === undefined) return;
    const query = Object.entries(selector as JsonObject).map(([key, value]) => `${key}=${value}`);
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(query.join())}`;
    const pods = objectsIn(at((await api.request("GET", path)).body, "items"));
    const endpoints = pods.map((pod) => ({
      addresses: [at(pod, "status", "podIP") ?? ""],
      conditions: { ready: true },
    }));
    if (JSON.stringify(endpoints) === known) return;
    const slice = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name,
        labels: {
          "kubernetes.io/service-name": service,
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
      },
      addressType: "IPv4",
      ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
      endpoints,
    };
    const { status } = await api.request("POST", slices, slice);
    if (status === 409) await api.request("PUT", `${slices}/${name}`, slice);
    known = JSON.stringify(endpoints);
  };
  const running = (async () => {
    while (runs) {
      await round();
      await delay(20);
    }
  })();
  return {
    async stop(): Promise<void> {
      runs = false;
      await running;
    },
  };
}

/** The addresses to which a Service led at each change of any of its slices: a list for each slice that led anywhere. */
export async function recordAddresses(api: ApiClient, namespace: string, service: string) {
  const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`);
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}&watch=1`;
  const stream: IncomingMessage = await api.stream(path);
  const slices = new Map<string, string[]>();
  const led: string[][][] = [];
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const { type, object } = JSON.parse(line) as { type: string; object: JsonObject };
      const name = String(at(object, "metadata", "name"));
      if (type === "DELETED") slices.delete(name);
      else
        slices.set(
          name,
          objectsIn(object.endpoints).flatMap(({ addresses }) => addresses as string[]),
        );
      led.push([...slices.values()].filter((addresses) => addresses.length > 0));
    }
  });
  stream.on("error", () => undefined);
  return { led, stop: () => void stream.destroy() };
}
