import type { TestContext } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import { SimulatedCluster } from "../../../demo/patroni/cluster.ts";
import type { SimulatedMember } from "../../../demo/patroni/member.ts";
import { toInjectionSettings } from "../../../src/config/injection-settings.ts";
import { ownDefaults } from "../../../src/config/load.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { Controller } from "../../../src/controller/controller.ts";
import type { ReloadOptions } from "../../../src/controller/reload/options.ts";
import type { InjectionSettings } from "../../../src/injection/settings.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { KubeConnection } from "../../../src/kube/connection.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { raw, until } from "../kube-api/support.ts";

export const NAMESPACE = "shop";
const SCOPE = "orders";
const LABELS = { application: "patroni", "cluster-name": SCOPE };
const SLICES = "endpointslices.discovery.k8s.io";

export interface WorldOptions {
  /** Which members have a sidecar that runs. Default: none. */
  readonly sidecars?: boolean;
  readonly opted?: boolean;
  /** Default: there is a pod for each member. */
  readonly pods?: boolean;
  /** Keeps Patroni's leader lock in an Endpoints object. */
  readonly kubernetesDcs?: boolean;
}

/** A member, however it answers. */
export type Reachable = Pick<SimulatedMember, "name" | "host" | "ports">;

export interface PodOptions {
  /** Default: that of the member. */
  readonly address?: string;
  readonly sidecar?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of the Patroni container. */
  readonly env?: readonly JsonObject[];
  /** The Secret that its sidecar serves the reload API with. */
  readonly serves?: string;
}

/** An embedded API server with a simulated Patroni cluster of three in a namespace that has opted in. */
export async function startWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const world = new World(await startKubeApi(), options);
  t.after(() => world.end());
  await world.begin();
  return world;
}

export const settings = (): InjectionSettings =>
  toInjectionSettings(parseConfig("{}", "config.yaml", ownDefaults()), { ownNamespace: "patroni-injector" });

export const quietLogger = () => createLogger({ level: "silent" });

export const connectionTo = (api: KubeApi): KubeConnection => {
  const text = api.kubeconfig();
  return new KubeConnection(() => {
    const config = new KubeConfig();
    config.loadFromString(text);
    return config;
  });
};

/** Watches that are quick to notice. */
export const TIMES = { firstPauseMs: 20, longestPauseMs: 200 };

export class World {
  readonly api: KubeApi;
  readonly cluster: SimulatedCluster;
  /** To be ended in reverse order: nobody may go on calling an API server that closes. */
  readonly #ends: (() => Promise<void>)[] = [];
  readonly #options: WorldOptions;
  readonly logged: JsonObject[] = [];
  /** Of all controllers. */
  readonly metrics = createMetrics();

  constructor(api: KubeApi, options: WorldOptions) {
    this.#ends.push(() => api.close());
    this.api = api;
    this.#options = options;
    this.cluster = new SimulatedCluster({
      scope: SCOPE,
      names: ["orders-0", "orders-1", "orders-2"],
      hosts: ["127.0.1.1", "127.0.1.2", "127.0.1.3"],
      pace: 0.05,
      keepLeader: (leader) => this.#keepLeader(leader),
    });
  }

  async begin(): Promise<void> {
    const opted = this.#options.opted ?? true;
    const labels = opted ? { "patroni-injector.io/injection": "enabled" } : {};
    await this.post("/api/v1/namespaces", { metadata: { name: NAMESPACE, labels } });
    this.#ends.push(() => this.cluster.stop());
    await this.cluster.start();
    if (this.#options.pods === false) return;
    for (const member of this.cluster.members) await this.addPod(member);
  }

  /** Ends something of the test's own before everything that was there before it. */
  endsWith(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }

  /** A controller that runs until the end of the test, or until it is stopped. */
  controller(name = "one", api: KubeApi = this.api, reload?: ReloadOptions): Controller {
    const logger = createLogger({
      level: "info",
      destination: { write: (line) => void this.logged.push(JSON.parse(line)) },
    });
    const controller = new Controller(connectionTo(api), {
      settings: settings(),
      openshift: () => false,
      logger,
      metrics: this.metrics,
      identity: name,
      times: TIMES,
      ...(reload === undefined ? {} : { reload }),
    });
    this.#ends.push(() => controller.stop());
    return controller;
  }

  async addPod(member: Reachable, options: PodOptions = {}): Promise<void> {
    const { address = member.host, sidecar = this.#options.sidecars ?? false } = options;
    await this.post(`/api/v1/namespaces/${NAMESPACE}/pods`, this.#pod(member, sidecar, options));
    await this.setAddress(member, address);
    if (!sidecar) return;
    await this.patch(`/api/v1/namespaces/${NAMESPACE}/pods/${member.name}/status`, {
      status: { initContainerStatuses: [{ name: "patroni-injector", state: { running: {} } }] },
    });
  }

  async setAddress({ name }: Pick<Reachable, "name">, address: string): Promise<void> {
    await this.patch(`/api/v1/namespaces/${NAMESPACE}/pods/${name}/status`, {
      status: { phase: "Running", podIP: address, podIPs: [{ ip: address }] },
    });
  }

  /** The workload of the members, as users apply it. */
  async addStatefulSet(
    options: {
      name?: string;
      scope?: string;
      account?: string;
      annotations?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<void> {
    const { name = SCOPE, scope = SCOPE, account = "orders", annotations: more = {} } = options;
    const [member] = this.cluster.members;
    if (member === undefined) throw new Error("a cluster has members");
    const { metadata, spec } = this.#pod(member, false) as { metadata: JsonObject; spec: JsonObject };
    const { labels = {}, annotations = {} } = metadata;
    await this.post(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`, {
      metadata: { name },
      spec: {
        serviceName: name,
        template: {
          metadata: {
            labels,
            annotations: { ...(annotations as JsonObject), ...more, "patroni-injector.io/cluster": scope },
          },
          spec: { ...spec, serviceAccountName: account },
        },
      },
    });
  }

  #pod(
    { name, ports }: Reachable,
    sidecar: boolean,
    { annotations, env, serves }: PodOptions = {},
  ): JsonObject {
    const dcs = this.#options.kubernetesDcs
      ? [{ name: "PATRONI_KUBERNETES_USE_ENDPOINTS", value: "true" }]
      : [];
    return {
      metadata: {
        name,
        labels: sidecar ? { ...LABELS, "patroni-injector.io/cluster": SCOPE } : LABELS,
        annotations: {
          "patroni-injector.io/patroni-port": String(ports.rest),
          "patroni-injector.io/postgres-port": String(ports.postgres),
          ...annotations,
        },
      },
      spec: {
        nodeName: "node",
        serviceAccountName: "orders",
        ...(serves === undefined
          ? {}
          : {
              hostname: name,
              subdomain: `${SCOPE}-headless`,
              volumes: [{ name: "patroni-injector-reload-tls", secret: { secretName: serves } }],
            }),
        initContainers: sidecar ? [{ name: "patroni-injector", image: "patroni-injector" }] : [],
        containers: [
          {
            name: "postgres",
            image: "registry.example/patroni",
            env: [{ name: "PATRONI_SCOPE", value: SCOPE }, ...dcs, ...(env ?? [])],
          },
        ],
      },
    };
  }

  async removePod(name: string): Promise<void> {
    await this.send("DELETE", `/api/v1/namespaces/${NAMESPACE}/pods/${name}`, { gracePeriodSeconds: 0 });
  }

  post(path: string, body: JsonObject): Promise<JsonObject> {
    return this.send("POST", path, body);
  }

  patch(path: string, body: JsonObject): Promise<JsonObject> {
    return this.send("PATCH", path, body, "application/merge-patch+json");
  }

  async send(method: string, path: string, body?: JsonObject, type?: string): Promise<JsonObject> {
    const answer = await raw(this.api, method, path, body, type);
    if (answer.code >= 300)
      throw new Error(`${method} ${path}: ${answer.code} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get slice(): JsonObject | undefined {
    return this.api.get(SLICES, NAMESPACE, "orders-primary") as JsonObject | undefined;
  }

  service(name = "orders-primary"): JsonObject | undefined {
    return this.api.get("services", NAMESPACE, name) as JsonObject | undefined;
  }

  /** The addresses that stand in the slice; undefined where there is none. */
  get published(): string[] | undefined {
    const endpoints = this.slice?.endpoints as { addresses: string[] }[] | undefined;
    return endpoints?.flatMap(({ addresses }) => addresses);
  }

  /** Waits until exactly this member is published. */
  untilPublished(member: Pick<Reachable, "name" | "host"> | undefined): Promise<void> {
    return until(`${member?.name} is published`, () => this.published?.join() === member?.host);
  }

  async #keepLeader(leader: string): Promise<void> {
    if (!this.#options.kubernetesDcs) return;
    const path = `/api/v1/namespaces/${NAMESPACE}/endpoints`;
    const object = { metadata: { name: SCOPE, annotations: { leader, ttl: "2" } } };
    const isThere = this.api.get("endpoints", NAMESPACE, SCOPE) !== undefined;
    await (isThere ? this.patch(`${path}/${SCOPE}`, object) : this.post(path, object));
  }
}
