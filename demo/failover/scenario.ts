import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asString, at, type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { ApiClient } from "../client.ts";
import type { KubeApi } from "../kube-api/server.ts";
import { SimulatedCluster } from "../patroni/cluster.ts";
import type { SimulatedMember } from "../patroni/member.ts";
import type { Program } from "../program.ts";
import type { Timeline } from "../timeline.ts";
import type { Place } from "./place.ts";
import { type SliceMoment, SliceRecorder } from "./recorder.ts";
import { startInjectedSidecar } from "./sidecars.ts";

const NAMESPACE = "shop";
const SCOPE = "orders";
const SERVICE = `${SCOPE}-primary`;

/** How long the simulated leases last; a real cluster has 30 s. Milliseconds. */
const LEASE_MS = 1000;
const PATIENCE_MS = 8000;

export interface FailoverResult {
  /** Every state of the slice, in order. */
  readonly slice: readonly SliceMoment[];
  readonly checks: readonly { readonly says: string; readonly holds: boolean }[];
  /** From each promotion to the slice that shows it. Milliseconds. */
  readonly publishedMs: readonly number[];
}

export interface FailoverParts {
  readonly api: KubeApi;
  readonly client: ApiClient;
  readonly timeline: Timeline;
  readonly place: Place;
  readonly folder: string;
}

/** Three members with the sidecars that were injected into their pods, and what can happen to them. */
export async function failoverScenario(parts: FailoverParts): Promise<FailoverResult> {
  const { api, timeline } = parts;
  const stage = new Stage(parts);
  try {
    await stage.open();
    await stage.expect("the first primary is published", stage.primary);

    const [first, second, third] = stage.cluster.members as readonly [
      SimulatedMember,
      SimulatedMember,
      SimulatedMember,
    ];
    timeline.add("you", `switch over from ${first.name} to ${second.name}`);
    const emptied = stage.recorder.shows([], PATIENCE_MS);
    await stage.cluster.switchover(second);
    stage.check("while the old primary stops, nobody is published", (await emptied).addresses.length === 0);
    await stage.expect("after a switchover the new primary is published", second);

    timeline.add("you", `kill ${second.name}: both of its ports are gone at once`);
    await stage.cluster.crash(third, LEASE_MS);
    await stage.expect("after a crash the new primary is published", third);
    await second.start();

    timeline.add("you", `freeze ${third.name} and its sidecar, past the lease`);
    stage.sidecarOf(third).signal("SIGSTOP");
    await stage.cluster.freeze(first, LEASE_MS);
    await stage.expect("after a freeze the new primary is published", first);
    const before = stage.recorder.moments.length;
    timeline.add("you", `wake ${third.name}, which still takes itself for the primary`);
    stage.sidecarOf(third).signal("SIGCONT");
    await stage.cluster.comeBack(third);
    await delay(500);
    const since = stage.recorder.moments.slice(before);
    stage.check(
      "the old primary that woke up changes nobody's address",
      since.every(({ addresses }) => addresses.join() === first.host),
    );
    stage.check(
      "at no instant stood two addresses, or an older term",
      stage.recorder.violations.length === 0,
    );
    return { slice: stage.recorder.moments, checks: stage.checks, publishedMs: stage.publishedMs };
  } finally {
    await stage.close();
    api.faults.clear();
  }
}

class Stage {
  readonly cluster: SimulatedCluster;
  readonly recorder: SliceRecorder;
  readonly checks: { says: string; holds: boolean }[] = [];
  readonly publishedMs: number[] = [];
  readonly #parts: FailoverParts;
  readonly #sidecars = new Map<SimulatedMember, Program>();

  constructor(parts: FailoverParts) {
    this.#parts = parts;
    const { place, api } = parts;
    this.cluster = new SimulatedCluster({
      scope: SCOPE,
      names: [0, 1, 2].map((ordinal) => `${SCOPE}-${ordinal}`),
      hosts: place.hosts,
      ports: place.ports,
      keepLeader: (leader, facts) => this.#keepLeader(leader, facts),
    });
    this.recorder = new SliceRecorder(api, NAMESPACE, SERVICE, (moment) => this.#tell(moment));
  }

  get primary(): SimulatedMember {
    const { primary } = this.cluster;
    if (primary === undefined) throw new Error("the simulated cluster has no primary");
    return primary;
  }

  sidecarOf(member: SimulatedMember): Program {
    const sidecar = this.#sidecars.get(member);
    if (sidecar === undefined) throw new Error(`${member.name} has no sidecar`);
    return sidecar;
  }

  /** Starts the members, gives their pods addresses as a kubelet would, and starts the sidecars that were injected. */
  async open(): Promise<void> {
    const { api, client, timeline, folder } = this.#parts;
    await this.cluster.start();
    timeline.add("Patroni", `three simulated members start; ${this.primary.name} is the primary`);
    for (const member of this.cluster.members) {
      const pod = api.get("pods", NAMESPACE, member.name) as JsonObject | undefined;
      if (pod === undefined) throw new Error(`pod ${member.name} is not there`);
      await this.#run(client, pod, member);
      this.#sidecars.set(
        member,
        await startInjectedSidecar({ api, folder: join(folder, member.name), pod, member }),
      );
    }
    timeline.add(
      "kubelet",
      "the injected sidecars start, each as a process with the environment that injection gave it",
    );
  }

  async expect(says: string, member: SimulatedMember): Promise<void> {
    const moment = await this.recorder.shows([member.host], PATIENCE_MS).catch(() => undefined);
    this.check(says, moment !== undefined);
    if (moment !== undefined) this.publishedMs.push(Math.max(0, moment.at - this.cluster.promotedAt));
  }

  check(says: string, holds: boolean): void {
    this.checks.push({ says, holds });
    if (!holds) this.#parts.timeline.add("demo", `NOT so: ${says}`, "bad");
  }

  async close(): Promise<void> {
    this.recorder.stop();
    for (const sidecar of this.#sidecars.values()) sidecar.signal("SIGCONT");
    await this.cluster.stop();
    await Promise.all([...this.#sidecars.values()].map((sidecar) => sidecar.stop()));
  }

  #tell({ addresses, term, at }: SliceMoment): void {
    const { timeline } = this.#parts;
    const member = this.cluster.members.find(({ host }) => host === addresses[0]);
    if (member === undefined) timeline.add("EndpointSlice", `${SERVICE}: nobody`);
    else {
      const took = `${Math.max(0, at - this.cluster.promotedAt).toFixed(0)} ms after its promotion`;
      timeline.add(
        "EndpointSlice",
        `${SERVICE} → ${member.name} (${member.host}, timeline ${term?.timeline}), ${took}`,
        "good",
      );
    }
  }

  async #run(client: ApiClient, pod: JsonObject, member: SimulatedMember): Promise<void> {
    const running = { state: { running: { startedAt: new Date().toISOString() } } };
    const statuses = (list: string) =>
      objectsIn(at(pod, "spec", list)).map(({ name }) => ({ name: asString(name) ?? "", ...running }));
    const status = {
      phase: "Running",
      podIP: member.host,
      podIPs: [{ ip: member.host }],
      containerStatuses: statuses("containers"),
      initContainerStatuses: statuses("initContainers"),
    };
    await client.replace(`/api/v1/namespaces/${NAMESPACE}/pods/${member.name}/status`, { ...pod, status });
  }

  async #keepLeader(
    leader: string,
    { transitions, position }: { transitions: number; position: number },
  ): Promise<void> {
    const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
    const annotations = { leader, ttl: "30", transitions: String(transitions), optime: String(position) };
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `${SCOPE}-leader`, annotations },
    };
    const { code } = await this.#parts.client.replace(`${path}/${SCOPE}-leader`, object);
    if (code === 404) await this.#parts.client.create(path, object);
  }
}
