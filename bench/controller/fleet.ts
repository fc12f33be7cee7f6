import { createServer, type Server } from "node:http";
import { Agent, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { KubeApi } from "../../demo/kube-api/server.ts";
import type { JsonObject } from "../../src/json/value.ts";

/** Many Patroni clusters of three injected members, as objects of an API server; all addresses lead to one simulated Patroni. */
export interface FleetOptions {
  readonly clusters: number;
  readonly clustersPerNamespace: number;
  readonly patroniPort: number;
  /** Patroni's DCS is Kubernetes itself: members say so in their environment. */
  readonly kubernetesDcs?: boolean;
}

const MEMBERS = [0, 1, 2];

/** What a pod of an operator carries along beside what we read, so that its size is a real one's: about 10 KB. */
const BALLAST = "x".repeat(7000);

/** Requests in parallel while the fleet is made. */
const LANES = 16;

export async function makeFleet(api: KubeApi, options: FleetOptions): Promise<void> {
  const namespaces = Math.ceil(options.clusters / options.clustersPerNamespace);
  const calls: (() => Promise<void>)[] = [];
  const client = new Client(api);
  for (let index = 0; index < namespaces; index++) {
    const labels = { "patroni-injector.io/injection": "enabled" };
    await client.send("POST", "/api/v1/namespaces", { metadata: { name: `ns-${index}`, labels } });
  }
  for (let index = 0; index < options.clusters; index++) {
    const namespace = `ns-${index % namespaces}`;
    for (const member of MEMBERS)
      calls.push(() => makePod(client, namespace, `pg-${index}`, member, options));
  }
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let call = calls.pop(); call !== undefined; call = calls.pop()) await call();
    }),
  );
  client.close();
}

async function makePod(
  client: Client,
  namespace: string,
  scope: string,
  member: number,
  options: FleetOptions,
) {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const name = `${scope}-${member}`;
  await client.send("POST", path, {
    metadata: {
      name,
      labels: { application: "patroni", "cluster-name": scope, "patroni-injector.io/cluster": scope },
      annotations: { "patroni-injector.io/patroni-port": String(options.patroniPort), ballast: BALLAST },
    },
    spec: {
      nodeName: "node",
      serviceAccountName: scope,
      initContainers: [{ name: "patroni-injector", image: "patroni-injector", restartPolicy: "Always" }],
      containers: [
        {
          name: "postgres",
          image: "registry.example/patroni",
          env: [
            { name: "PATRONI_SCOPE", value: scope },
            ...(options.kubernetesDcs ? [{ name: "PATRONI_KUBERNETES_USE_ENDPOINTS", value: "false" }] : []),
          ],
        },
      ],
    },
  });
  const status = {
    phase: "Running",
    podIP: "127.0.0.1",
    podIPs: [{ ip: "127.0.0.1" }],
    initContainerStatuses: [{ name: "patroni-injector", state: { running: {} } }],
  };
  await client.send("PATCH", `${path}/${name}/status`, { status });
}

/** A Patroni that is a primary whoever asks, on any free port. */
export async function startPatroni(): Promise<{ port: number; stop(): void }> {
  const body = JSON.stringify({
    state: "running",
    role: "primary",
    timeline: 1,
    database_system_identifier: "1",
  });
  const server: Server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { port, stop: () => server.close().closeAllConnections() };
}

class Client {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #token: string;

  constructor(api: KubeApi) {
    this.#url = api.url;
    this.#token = api.tokens.issue("fleet");
    this.#agent = new Agent({ keepAlive: true, ca: api.caPem });
  }

  send(method: "POST" | "PATCH", path: string, body: JsonObject): Promise<void> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": type };
    return new Promise((resolve, reject) => {
      const call = request(this.#url + path, { method, headers, agent: this.#agent }, (response) => {
        const isDone = (response.statusCode ?? 0) < 300;
        response.resume();
        response.on("end", () => (isDone ? resolve() : reject(new Error(`${path}: ${response.statusCode}`))));
      });
      call.on("error", reject);
      call.end(JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
