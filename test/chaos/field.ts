import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiClient } from "../../demo/client.ts";
import { SliceRecorder } from "../../demo/failover/recorder.ts";
import { startSidecar } from "../../demo/failover/sidecars.ts";
import type { KubeApi } from "../../demo/kube-api/server.ts";
import { SimulatedCluster } from "../../demo/patroni/cluster.ts";
import type { SimulatedMember } from "../../demo/patroni/member.ts";
import type { Program } from "../../demo/program.ts";
import { Pods } from "./controller.ts";

/** How much faster than a real cluster the simulated ones go; leases expire after as little. */
const PACE = 0.1;

/** One member, its sidecar's process, and who the API server takes that sidecar for. */
export interface Seat {
  readonly member: SimulatedMember;
  readonly user: string;
  sidecar: Program;
  /** Of its pod; another when the pod is made anew. */
  uid: string;
}

/** One cluster of the chaos runs: simulated members, sidecars as real processes, and a record of the slice. */
export class Field {
  readonly namespace: string;
  readonly api: KubeApi;
  readonly cluster: SimulatedCluster;
  readonly recorder: SliceRecorder;
  readonly seats: Seat[] = [];
  /** With a controller that takes part. */
  readonly pods: Pods | undefined;
  readonly #client: ApiClient;
  readonly #folder: string;
  #uids = 0;
  static readonly service = "pg-primary";

  /** @param hasController a controller makes the slice, and sees the members' pods */
  constructor(api: KubeApi, client: ApiClient, index: number, folder: string, hasController: boolean) {
    this.api = api;
    this.namespace = `chaos-${index}`;
    this.#client = client;
    this.#folder = join(folder, this.namespace);
    this.pods = hasController ? new Pods(client, this.namespace) : undefined;
    this.cluster = new SimulatedCluster({
      scope: "pg",
      names: ["pg-0", "pg-1", "pg-2"],
      hosts: [1, 2, 3].map((member) => `127.10.${index}.${member}`),
      pace: PACE,
      keepLeader: (leader, facts) => this.#keepLeader(leader, facts),
    });
    this.recorder = new SliceRecorder(api, this.namespace, Field.service);
  }

  async start(): Promise<void> {
    const { namespace } = this;
    await this.#client.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: namespace, labels: { "patroni-injector.io/injection": "enabled" } },
    });
    if (this.pods === undefined) await this.#makeSlice();
    await this.cluster.start();
    for (const member of this.cluster.members) {
      const user = `system:serviceaccount:${namespace}:${member.name}`;
      const seat = { member, user, uid: await this.#newPod(member) } as Seat;
      seat.sidecar = await this.#sidecarFor(seat);
      this.seats.push(seat);
    }
    await this.showsPrimary(15_000);
  }

  async #makeSlice(): Promise<void> {
    const { namespace } = this;
    await this.#client.create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: Field.service, labels: { "kubernetes.io/service-name": Field.service } },
      addressType: "IPv4",
      endpoints: [],
      ports: [{ name: "tcp-postgres", port: 5432, protocol: "TCP" }],
    });
  }

  async #newPod(member: SimulatedMember): Promise<string> {
    return this.pods === undefined ? `${member.name}-${++this.#uids}` : this.pods.make(member);
  }

  get primary(): Seat {
    const seat = this.seats.find(({ member }) => member === this.cluster.primary);
    if (seat === undefined) throw new Error(`${this.namespace} has no primary`);
    return seat;
  }

  /** The members that are not primary. */
  get others(): Seat[] {
    return this.seats.filter((seat) => seat !== this.primary);
  }

  /** Waits until the slice shows the primary. @returns milliseconds from the promotion to that state of the slice */
  async showsPrimary(timeoutMs: number): Promise<number> {
    const { host } = this.primary.member;
    const moment = await this.recorder.shows([host], timeoutMs);
    return moment.at - this.cluster.promotedAt;
  }

  /** Starts the sidecar of a seat again, if it has ended. @param newPod the pod was made anew */
  async restart(seat: Seat, newPod: boolean): Promise<void> {
    if (newPod) seat.uid = await this.#newPod(seat.member);
    if (!seat.sidecar.runs) seat.sidecar = await this.#sidecarFor(seat);
  }

  /** The kubelet renews the token: the old one ends, the new one is in the file a moment later. */
  async renewToken(seat: Seat, gapMs: number): Promise<void> {
    this.api.tokens.expireUser(seat.user);
    await new Promise((resolve) => setTimeout(resolve, gapMs));
    await writeFile(join(this.#folder, seat.member.name, "token"), this.api.tokens.issue(seat.user));
  }

  async deleteSlice(): Promise<void> {
    const slices = `/apis/discovery.k8s.io/v1/namespaces/${this.namespace}/endpointslices`;
    await this.#client.remove(`${slices}/${Field.service}`);
  }

  async stop(): Promise<void> {
    for (const { sidecar } of this.seats) sidecar.signal("SIGCONT");
    await this.cluster.stop();
    await Promise.all(this.seats.map(({ sidecar }) => sidecar.stop()));
    this.recorder.stop();
  }

  #sidecarFor(seat: Seat): Promise<Program> {
    return startSidecar({
      api: this.api,
      folder: this.#folder,
      namespace: this.namespace,
      scope: "pg",
      service: Field.service,
      member: seat.member,
      user: seat.user,
      uid: seat.uid,
      leaderObject: "configmaps/pg-leader",
    });
  }

  async #keepLeader(leader: string, facts: { transitions: number; position: number }): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/configmaps`;
    const annotations = {
      leader,
      ttl: "30",
      transitions: String(facts.transitions),
      optime: String(facts.position),
      renewTime: new Date().toISOString(),
    };
    const labels = { application: "patroni", "cluster-name": "pg" };
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "pg-leader", labels, annotations },
    };
    const replaced = await this.#client.replace(`${path}/pg-leader`, object);
    if (replaced.code === 404) await this.#client.create(path, object);
  }
}
