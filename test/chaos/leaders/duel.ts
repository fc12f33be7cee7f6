import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SliceRecorder } from "../../../demo/failover/recorder.ts";
import { PEER_AUTHENTICATIONS } from "../../../demo/kube-api/crds.ts";
import { startKubeApi } from "../../../demo/kube-api/server.ts";
import { Program } from "../../../demo/program.ts";
import { CONTROLLER_LEASE } from "../../../src/contract/names.ts";
import { at, objectsIn } from "../../../src/json/value.ts";
import { NAMESPACE, World } from "../../component/controller/world.ts";
import type { Random } from "../random.ts";
import { TROUBLES } from "./troubles.ts";
import { tallyWrites, type WriteTally } from "./writes.ts";

const CONFIG = `
webhook: { host: 127.0.0.1, port: 0, registration: { mode: none } }
operations: { host: 127.0.0.1, port: 0 }
drainSeconds: 0
`;
const OWN_NAMESPACE = "patroni-injector";
const NAMES = ["one", "two"] as const;

/** Milliseconds. The Lease is one of 15 s, tried for every 2 s. */
const TAKE_OVER_MS = 40_000;
const SETTLE_MS = 20_000;

/** Two replicas of `serve` as processes, and an API server of their own that remembers every request. */
export class Duel {
  readonly #world: World;
  readonly #replicas: ReadonlyMap<string, Program>;
  readonly #recorder: SliceRecorder;

  private constructor(world: World, replicas: ReadonlyMap<string, Program>) {
    this.#world = world;
    this.#replicas = replicas;
    this.#recorder = new SliceRecorder(world.api, NAMESPACE, "orders-primary");
  }

  static async start(folder: string): Promise<Duel> {
    const world = new World(await startKubeApi({ auditLimit: 1_000_000 }), {});
    await world.begin();
    await world.post("/api/v1/namespaces", { metadata: { name: OWN_NAMESPACE } });
    await world.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", PEER_AUTHENTICATIONS);
    await mkdir(folder, { recursive: true });
    const config = join(folder, "config.yaml");
    await writeFile(config, CONFIG);
    const replicas = new Map<string, Program>();
    for (const name of NAMES) {
      const kubeconfig = join(folder, name);
      await writeFile(kubeconfig, world.api.kubeconfig(name));
      const args = ["serve", "--config", config, "--kubeconfig", kubeconfig];
      const program = new Program(args, { POD_NAME: name, POD_NAMESPACE: OWN_NAMESPACE });
      world.endsWith(() => program.stop());
      await program.said("listening", TAKE_OVER_MS);
      replicas.set(name, program);
    }
    const duel = new Duel(world, replicas);
    await duel.#until("a replica leads", TAKE_OVER_MS, () => duel.#leader !== undefined);
    await duel.#settle();
    return duel;
  }

  /** The leader is stopped in the middle of its work, another one goes on, and the first one wakes. */
  async round(random: Random): Promise<void> {
    const leader = this.#leader;
    const frozen = leader === undefined ? undefined : this.#replicas.get(leader);
    if (leader === undefined || frozen === undefined) throw new Error("nobody leads");
    const slow = this.#world.api.faults.add({
      kind: "latency",
      ms: 20 + random.below(180),
      match: { user: leader },
    });
    try {
      const troubles = this.#troubles(random);
      await delay(random.below(500));
      frozen.signal("SIGSTOP");
      await troubles;
      await this.#until("another leads", TAKE_OVER_MS, () => (this.#leader ?? leader) !== leader);
      await this.#troubles(random);
      // At times the old one wakes into the other's work, at times after it.
      if (random.below(2) === 0) await this.#settle();
    } finally {
      slow.remove();
      frozen.signal("SIGCONT");
    }
    await delay(1500);
    await this.#settle();
  }

  get violations(): readonly string[] {
    return this.#recorder.violations;
  }

  get writes(): WriteTally {
    return tallyWrites(this.#world.api.audit.entries, NAMES);
  }

  async stop(): Promise<void> {
    for (const program of this.#replicas.values()) program.signal("SIGCONT");
    this.#recorder.stop();
    await this.#world.end();
  }

  async #troubles(random: Random): Promise<void> {
    const some = random.some(Object.keys(TROUBLES));
    await Promise.all(
      [...new Set(["switchover", ...some])].map(async (name) => {
        await delay(random.below(300));
        await TROUBLES[name]?.(this.#world, random);
      }),
    );
  }

  /** By the Lease. */
  get #leader(): string | undefined {
    const lease = this.#world.api.get("leases.coordination.k8s.io", OWN_NAMESPACE, CONTROLLER_LEASE);
    const holder = String(at(lease ?? {}, "spec", "holderIdentity") ?? "");
    return NAMES.find((name) => holder.startsWith(`${name}_`));
  }

  /** The primary is published, and every object is there and as it should be, whoever made it so. */
  async #settle(): Promise<void> {
    const { api, cluster } = this.#world;
    const portsOf = (service: string) =>
      objectsIn(at(api.get("services", NAMESPACE, service) ?? {}, "spec", "ports")).map(({ name }) => name);
    await this.#until("the primary is published, and both Services are right", SETTLE_MS, () => {
      const isPublished = this.#world.published?.join() === cluster.primary?.host;
      const ports = ["orders-primary", "orders-headless"].map(portsOf);
      return (
        isPublished && ports.every((names) => names.includes("tcp-postgres") && !names.includes("wrong"))
      );
    });
  }

  async #until(what: string, timeoutMs: number, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`);
      await delay(20);
    }
  }
}
