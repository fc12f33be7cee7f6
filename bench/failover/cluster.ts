import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../../demo/client.ts";
import { SliceRecorder } from "../../demo/failover/recorder.ts";
import { startSidecar } from "../../demo/failover/sidecars.ts";
import type { KubeApi } from "../../demo/kube-api/server.ts";
import { SimulatedCluster } from "../../demo/patroni/cluster.ts";
import type { Program } from "../../demo/program.ts";
import type { Samples } from "../statistics.ts";

const SERVICE = "pg-primary";
const SLICES = (namespace: string) => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
const PATIENCE_MS = 15_000;
/** How finely the beginning of a shutdown is seen. */
const LOOK_MS = 2;
/** Between two switchovers: the old primary has come back as a replica by then. */
const REST_MS = 1200;

/** One simulated cluster at a real cluster's pace, with its sidecars as processes. */
export class BenchCluster {
  readonly recorder: SliceRecorder;
  readonly namespace: string;
  readonly #cluster: SimulatedCluster;
  readonly #parts: { readonly api: KubeApi; readonly client: ApiClient; readonly folder: string };
  #sidecars: Program[] = [];

  constructor(index: number, parts: { api: KubeApi; client: ApiClient; folder: string }) {
    this.namespace = `bench-${index}`;
    this.#parts = parts;
    this.#cluster = new SimulatedCluster({
      scope: "pg",
      names: ["pg-0", "pg-1", "pg-2"],
      hosts: [1, 2, 3].map((member) => `127.30.${index}.${member}`),
      keepLeader: (leader, { transitions, position }) => this.#keepLeader(leader, transitions, position),
    });
    this.recorder = new SliceRecorder(parts.api, this.namespace, SERVICE);
  }

  async start(): Promise<void> {
    const { client, api, folder } = this.#parts;
    const { namespace } = this;
    await client.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace },
    });
    await client.create(SLICES(namespace), {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: SERVICE, labels: { "kubernetes.io/service-name": SERVICE } },
      addressType: "IPv4",
      endpoints: [],
      ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
    });
    await this.#cluster.start();
    const common = { api, folder: `${folder}/${namespace}`, namespace, scope: "pg", service: SERVICE };
    this.#sidecars = await Promise.all(
      this.#cluster.members.map((member) =>
        startSidecar({ ...common, member, leaderObject: "configmaps/pg-leader" }),
      ),
    );
    await this.recorder.shows([this.#primaryHost], PATIENCE_MS);
  }

  /** One switchover, to the next member. Milliseconds from the promotion, and from the old primary's first answer that it stops. */
  async switchover(published: Samples, removed: Samples): Promise<void> {
    const { members, primary } = this.#cluster;
    if (primary === undefined) throw new Error(`${this.namespace} has no primary`);
    const next = members[(members.indexOf(primary) + 1) % members.length];
    if (next === undefined) throw new Error(`${this.namespace} has no other member`);
    let stoppingAt: number | undefined;
    const timer = setInterval(() => {
      if (primary.state.state === "stopping") stoppingAt ??= performance.now();
    }, LOOK_MS);
    const emptied = this.recorder.shows([], PATIENCE_MS);
    try {
      await Promise.all([this.#cluster.switchover(next), emptied]);
    } finally {
      clearInterval(timer);
    }
    removed.add((await emptied).at - (stoppingAt ?? Number.NaN));
    const { at } = await this.recorder.shows([next.host], PATIENCE_MS);
    published.add(Math.max(0, at - this.#cluster.promotedAt));
    await delay(REST_MS);
  }

  /** The members first: the sidecar of a healthy primary goes on until it is none. */
  async stop(): Promise<void> {
    await this.#cluster.stop();
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.stop()));
    this.recorder.stop();
  }

  get #primaryHost(): string {
    return this.#cluster.primary?.host ?? "";
  }

  async #keepLeader(leader: string, transitions: number, position: number): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/configmaps`;
    const annotations = { leader, ttl: "30", transitions: String(transitions), optime: String(position) };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "pg-leader", annotations } };
    const { code } = await this.#parts.client.replace(`${path}/pg-leader`, object);
    if (code === 404) await this.#parts.client.create(path, object);
  }
}
