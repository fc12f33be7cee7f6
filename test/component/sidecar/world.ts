import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ApiClient } from "../../../demo/client.ts";
import { SliceRecorder } from "../../../demo/failover/recorder.ts";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import { Program } from "../../../demo/program.ts";
import type { ReloadSetting } from "../../../src/contract/reload-env.ts";
import type { SIDECAR_SETTINGS } from "../../../src/contract/sidecar-env.ts";
import type { JsonObject } from "../../../src/json/value.ts";

export const NAMESPACE = "db";
export const SERVICE = "pg-primary";
export const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;

/** Where a member is. */
export interface Place {
  readonly name: string;
  readonly host: string;
  readonly ports: { readonly rest: number; readonly postgres: number };
}

export type Settings = Partial<
  Record<keyof typeof SIDECAR_SETTINGS | ReloadSetting | "POD_IPS" | "POD_UID", string>
>;

/** An embedded API server with the slice of one cluster, and sidecars as processes. Ends with the test. */
export class World {
  readonly folder: string;
  readonly api: KubeApi;
  readonly client: ApiClient;
  readonly recorder: SliceRecorder;
  readonly sidecars: Program[] = [];

  private constructor(folder: string, api: KubeApi) {
    this.folder = folder;
    this.api = api;
    this.client = new ApiClient(api.url, api.caPem, api.tokens.issue("test"));
    this.recorder = new SliceRecorder(api, NAMESPACE, SERVICE);
  }

  static async open(test: TestContext, { slice = true } = {}): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), "sidecar-")), await startKubeApi());
    test.after(() => world.#close());
    await world.client.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACE },
    });
    if (slice) await world.makeSlice();
    return world;
  }

  /** As the controller makes it. */
  async makeSlice(more: JsonObject = {}): Promise<void> {
    await this.client.create(SLICES, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: SERVICE, labels: { "kubernetes.io/service-name": SERVICE } },
      addressType: "IPv4",
      endpoints: [],
      ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
      ...more,
    });
  }

  get slice(): JsonObject {
    return this.api.get("endpointslices.discovery.k8s.io", NAMESPACE, SERVICE) as unknown as JsonObject;
  }

  /** Whom the API server takes a member's sidecar for. */
  userOf(place: Pick<Place, "name">): string {
    return `system:serviceaccount:${NAMESPACE}:${place.name}`;
  }

  /** The folder of the sidecar's credentials. */
  tokenDir(place: Pick<Place, "name">): string {
    return join(this.folder, place.name);
  }

  async writeToken(
    place: Pick<Place, "name">,
    token = this.api.tokens.issue(this.userOf(place)),
  ): Promise<void> {
    await mkdir(this.tokenDir(place), { recursive: true });
    await writeFile(join(this.tokenDir(place), "token"), token);
    await writeFile(join(this.tokenDir(place), "ca.crt"), this.api.caPem);
  }

  async environment(place: Place, settings: Settings = {}): Promise<Record<string, string>> {
    const { hostname, port } = new URL(this.api.url);
    return {
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      POD_NAME: place.name,
      POD_NAMESPACE: NAMESPACE,
      POD_UID: `uid-of-${place.name}`,
      POD_IP: place.host,
      POD_IPS: place.host,
      NODE_NAME: "node",
      PATRONI_INJECTOR_CLUSTER: "pg",
      PATRONI_INJECTOR_PRIMARY_SERVICE: SERVICE,
      PATRONI_INJECTOR_PORT: String(await freePort()),
      PATRONI_INJECTOR_POSTGRES_PORT: String(place.ports.postgres),
      PATRONI_INJECTOR_PATRONI_PORT: String(place.ports.rest),
      PATRONI_INJECTOR_TOKEN_DIR: this.tokenDir(place),
      PATRONI_INJECTOR_LOG_LEVEL: "debug",
      ...settings,
    };
  }

  /** Of a sidecar in a pod without Patroni. */
  async poolerEnvironment(name: string, settings: Settings = {}): Promise<Record<string, string>> {
    const { hostname, port } = new URL(this.api.url);
    return {
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
      POD_NAME: name,
      POD_NAMESPACE: NAMESPACE,
      POD_UID: `uid-of-${name}`,
      PATRONI_INJECTOR_ROLE: "pooler",
      PATRONI_INJECTOR_CLUSTER: "pg",
      PATRONI_INJECTOR_PRIMARY_SERVICE: SERVICE,
      PATRONI_INJECTOR_PORT: String(await freePort()),
      PATRONI_INJECTOR_TOKEN_DIR: this.tokenDir({ name }),
      ...settings,
    };
  }

  /** Publishes these addresses, as a member's sidecar does; none: nobody. */
  async publish(...addresses: string[]): Promise<void> {
    const endpoints = addresses.length === 0 ? [] : [{ addresses, conditions: { ready: true } }];
    await this.client.replace(`${SLICES}/${SERVICE}`, { ...this.slice, endpoints });
  }

  /** Starts a sidecar with credentials of its own. */
  async run(name: string, environment: Readonly<Record<string, string>>): Promise<Program> {
    await this.writeToken({ name });
    const sidecar = new Program(["sidecar"], environment);
    this.sidecars.push(sidecar);
    return sidecar;
  }

  /** Starts the sidecar of a member. */
  async sidecar(place: Place, settings: Settings = {}): Promise<Program> {
    return this.run(place.name, await this.environment(place, settings));
  }

  async #close(): Promise<void> {
    for (const sidecar of this.sidecars) sidecar.signal("SIGKILL");
    await Promise.all(this.sidecars.map((sidecar) => sidecar.stop()));
    this.recorder.stop();
    this.client.close();
    await this.api.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The messages of a sidecar's log from `info` upwards. */
export const said = (sidecar: Program): string[] =>
  sidecar.log.filter(({ level }) => level !== "debug").map(({ msg }) => msg ?? "");

/** Waits until a condition holds. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 8000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The text of `http://127.0.0.1:<port><path>`. */
export function textAt(port: string | number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}
