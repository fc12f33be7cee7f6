import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { MEMBERS, PASSWORD, POSTGRES_CONTAINER } from "../manifests/patroni.ts";
import type { Kubectl, PodRef } from "./kubectl.ts";

/** A pod of a Patroni cluster as the API server shows it. */
export interface MemberPod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly object: JsonObject;
}

/** A row of `patronictl list`. */
export interface MemberState {
  readonly name: string;
  readonly host: string;
  /** `Leader`, `Replica`, `Sync Standby`. */
  readonly role: string;
  /** `running`, `streaming`, … */
  readonly state: string;
}

/** A running Patroni cluster, by the programs of its own pods. */
export class Members {
  readonly #kubectl: Kubectl;
  readonly namespace: string;
  readonly scope: string;

  constructor(kubectl: Kubectl, namespace: string, scope: string) {
    this.#kubectl = kubectl;
    this.namespace = namespace;
    this.scope = scope;
  }

  /** Pods that have an address and are not being deleted. */
  async pods(): Promise<MemberPod[]> {
    const selector = `--selector=cluster-name=${this.scope},application=patroni`;
    const list = await this.#kubectl.json(["get", "pods", `--namespace=${this.namespace}`, selector]);
    return objectsIn(list.items).flatMap((object) => {
      const [name, uid] = [at(object, "metadata", "name"), at(object, "metadata", "uid")].map(asString);
      const ip = asString(at(object, "status", "podIP"));
      const leaving = at(object, "metadata", "deletionTimestamp") !== undefined;
      return name && uid && ip && !leaving ? [{ name, uid, ip, object }] : [];
    });
  }

  async pod(name: string): Promise<MemberPod> {
    const pod = (await this.pods()).find((candidate) => candidate.name === name);
    if (pod === undefined) throw new Error(`no pod ${name} runs`);
    return pod;
  }

  ref = (name: string): PodRef => ({ namespace: this.namespace, name, container: POSTGRES_CONTAINER });

  /** What Patroni says of the cluster, asked in one of its pods. */
  async list(inPod: string): Promise<MemberState[]> {
    const text = await this.patronictl(inPod, ["list", "--format=json"]);
    return objectsIn(JSON.parse(text)).map((row) => ({
      name: asString(row.Member) ?? "",
      host: asString(row.Host) ?? "",
      role: asString(row.Role) ?? "",
      state: asString(row.State) ?? "",
    }));
  }

  patronictl(inPod: string, args: readonly string[]): Promise<string> {
    return this.#kubectl.exec(this.ref(inPod), ["patronictl", "-c", "/tmp/patroni.yml", ...args]);
  }

  /** One value or one row a line, columns parted by `|`, of a query on the member's own socket. */
  async sql(member: string, query: string): Promise<string> {
    const psql = [
      "psql",
      "-h",
      "/var/run/postgresql",
      "-U",
      "postgres",
      "-XAtq",
      "-v",
      "ON_ERROR_STOP=1",
      "-c",
      query,
    ];
    return (await this.#kubectl.exec(this.ref(member), psql)).trim();
  }

  /** The same through a Service, from a member's pod. */
  async sqlThrough(inPod: string, host: string, query: string): Promise<string> {
    const url = `postgresql://postgres:${PASSWORD}@${host}:5432/postgres?connect_timeout=5`;
    const psql = ["psql", url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query];
    return (await this.#kubectl.exec(this.ref(inPod), psql)).trim();
  }

  /**
   * The leader and the standbys, where all members are there and every standby streams; with synchronous replication also only once
   * Patroni has chosen a synchronous standby. Undefined otherwise.
   */
  async settled(synchronous: boolean): Promise<Settled | undefined> {
    const pods = await this.pods();
    const [first] = pods;
    if (first === undefined || pods.length !== MEMBERS || !pods.every(isReady)) return undefined;
    const states = await this.list(first.name);
    const leader = states.find(({ role, state }) => role === "Leader" && state === "running");
    const streaming = states.filter(({ state }) => state === "streaming");
    const chosen = streaming.filter(({ role }) => role === SYNCHRONOUS);
    const standbys = [...chosen, ...streaming.filter(({ role }) => role !== SYNCHRONOUS)];
    if (leader === undefined || standbys.length !== MEMBERS - 1 || chosen.length > 0 !== synchronous)
      return undefined;
    const named = (name: string) => pods.find((pod) => pod.name === name);
    const primary = named(leader.name);
    const others = standbys.flatMap(({ name }) => named(name) ?? []);
    return primary === undefined || others.length !== MEMBERS - 1 ? undefined : { primary, standbys: others };
  }
}

export interface Settled {
  readonly primary: MemberPod;
  /** The synchronous one first. */
  readonly standbys: readonly MemberPod[];
}

const SYNCHRONOUS = "Sync Standby";

const isReady = ({ object }: MemberPod): boolean =>
  objectsIn(at(object, "status", "conditions")).some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
