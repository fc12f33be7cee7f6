import type { Caches } from "../../../src/controller/caches.ts";
import { access } from "../../../src/controller/desired/access.ts";
import { patroniAccessName, poolerAccessName } from "../../../src/controller/desired/access-names.ts";
import { clusterLabels } from "../../../src/controller/desired/object.ts";
import { peerAuthentication } from "../../../src/controller/desired/peer-authentication.ts";
import { poolerAccess } from "../../../src/controller/desired/pooler-access.ts";
import { type PodFacts, podFacts } from "../../../src/controller/facts/pod.ts";
import { type PoolerFacts, poolerFacts } from "../../../src/controller/facts/pooler.ts";
import { type TemplateFacts, templateFacts } from "../../../src/controller/facts/template.ts";
import type { Objects } from "../../../src/controller/objects.ts";
import { expectation } from "../../../src/controller/prune/expectation.ts";
import { prune } from "../../../src/controller/prune/prune.ts";
import type { ResourceName } from "../../../src/controller/resources.ts";
import { isActive } from "../../../src/controller/view.ts";
import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { viewOf } from "../../unit/controller/views.ts";
import { settings } from "./settings.ts";

const SINCE = "patroni-injector.io/unused-since";
const HOUR_MS = 3_600_000;
const PLACE = { namespace: "db", cluster: "pg" };
export const ACCOUNTS = ["pg", "other"] as const;

/** How a pod may come to be. */
export interface PodShape {
  readonly account: (typeof ACCOUNTS)[number];
  /** It went through injection. */
  readonly injected: boolean;
  /** Its labels are such that a pod selector matches it. */
  readonly selected: boolean;
  /** Somebody has taken our label away. */
  readonly stripped: boolean;
}

export type Step =
  | { readonly do: "add-pod"; readonly shape: PodShape }
  | { readonly do: "add-pooler"; readonly account: PodShape["account"]; readonly injected: boolean }
  | { readonly do: "remove-pooler" | "deselect-pooler" }
  | { readonly do: "remove-pod" | "deselect-pod" | "add-set" | "remove-set" | "opt" | "look" | "prune" }
  | { readonly do: "pass"; readonly hours: number }
  | { readonly do: "clock"; readonly hours: number }
  | { readonly do: "touch"; readonly index: number };

/** What a running pod needed was taken away. */
export class Loss extends Error {}

interface Stored {
  readonly resource: ResourceName;
  readonly object: JsonObject;
}

/**
 * A namespace with one cluster, seen by a controller whose watches show it as it was at its last look, and whose clock, or the API
 * server's, may be anything.
 */
export class World {
  readonly seen = { removed: 0, services: 0, poolers: 0, marked: 0, unmarked: 0, held: 0 };
  readonly #lyingClock: "own" | "server";
  #now = Date.parse("2026-11-21T12:00:00Z");
  #lie = 0;
  #version = 1;
  #opted = true;
  #pods: JsonObject[] = [];
  #poolers: JsonObject[] = [];
  #sets: JsonObject[] = [];
  #stored: Stored[];
  /** When, in truth, each Service was marked. */
  readonly #markedAt = new Map<string, number>();
  /** When a pass last came upon a workload. */
  #usedAt = 0;
  #cached: {
    pods: PodFacts[];
    poolers: PoolerFacts[];
    templates: TemplateFacts[];
    stored: Stored[];
    opted: boolean;
  };

  constructor(lyingClock: "own" | "server") {
    this.#lyingClock = lyingClock;
    this.#stored = [
      this.#store("services", "pg-primary", { type: "ClusterIP", clusterIP: "10.96.0.9" }),
      this.#store("services", "pg-headless", { type: "ClusterIP", clusterIP: "None" }),
      this.#store("services", "pg-outside", { type: "LoadBalancer", clusterIP: "10.96.0.10" }),
      this.#store("services", "theirs", {}, {}),
      this.#store("peerauthentications", "patroni-injector-pg", {}),
      ...ACCOUNTS.flatMap((account) =>
        (["roles", "rolebindings"] as const).flatMap((resource) => [
          this.#store(resource, `patroni-injector.pg.${account}`, {}),
          this.#store(resource, patroniAccessName("pg", account), {}),
          this.#store(resource, poolerAccessName("pg", account), {}),
        ]),
      ),
    ];
    this.#cached = this.#snapshot();
  }

  async play(step: Step): Promise<void> {
    switch (step.do) {
      case "add-pod":
        this.#pods.push(podOf(step.shape, this.#version++));
        break;
      case "remove-pod":
        this.#pods.shift();
        break;
      case "deselect-pod":
        this.#pods = this.#pods.map((pod, index) => (index === 0 ? withoutLabel(pod) : pod));
        break;
      case "add-pooler":
        this.#poolers.push(poolerOf(step.account, step.injected, this.#version++));
        break;
      case "remove-pooler":
        this.#poolers.shift();
        break;
      case "deselect-pooler":
        this.#poolers = this.#poolers.map((pod, index) => (index === 0 ? withoutLabel(pod) : pod));
        break;
      case "add-set":
        this.#sets = [setOf(this.#version++)];
        break;
      case "remove-set":
        this.#sets = [];
        break;
      case "opt":
        this.#opted = !this.#opted;
        break;
      case "look":
        this.#cached = this.#snapshot();
        break;
      case "pass":
        this.#now += step.hours * HOUR_MS;
        break;
      case "clock":
        this.#lie = step.hours * HOUR_MS;
        break;
      case "touch":
        this.#touch(step.index);
        break;
      case "prune":
        await this.#prune();
    }
  }

  async #prune(): Promise<void> {
    const { pods, poolers, templates, opted } = this.#cached;
    const [first] = [...pods, ...templates];
    const view =
      first &&
      viewOf({
        members: pods,
        poolers,
        templates,
        settings: first.settings,
        enabled: opted,
        peerAuthentications: [],
      });
    const expected =
      view !== undefined && isActive(view)
        ? expectation(view, [peerAuthentication(view), ...access(view), ...poolerAccess(view)])
        : { wanted: new Set<string>(), known: new Set<string>() };
    const before = this.seen.removed;
    const real = Date.now;
    Date.now = () => this.#now + (this.#lyingClock === "own" ? this.#lie : 0);
    try {
      await prune({ objects: this.#objects(), caches: this.#caches() }, PLACE, expected);
      if (first !== undefined && this.#pods.length + this.#sets.length > 0) this.#usedAt = this.#now;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    } finally {
      Date.now = real;
    }
    if (this.seen.removed === before) this.seen.held++;
  }

  #caches(): Caches {
    const { pods, poolers, templates, stored } = this.#cached;
    const cache = { take() {}, forget() {} };
    const caches: Partial<Record<keyof Caches, unknown>> = {
      made: () => stored,
      of: () => cache,
      pods: [{ find: () => pods }],
      poolers: [{ find: () => poolers }],
      templates: { find: () => templates },
    };
    return caches as unknown as Caches;
  }

  #objects(): Objects {
    const objects: Partial<Record<keyof Objects, unknown>> = {
      list: async (resource: ResourceName) =>
        resource === "pods" ? [...this.#pods, ...this.#poolers] : this.#sets,
      serverTime: async () => this.#now + (this.#lyingClock === "server" ? this.#lie : 0),
      remove: async (resource: ResourceName, object: JsonObject) => this.#remove(resource, object),
      patch: async (
        _: ResourceName,
        place: { name: string; resourceVersion: string },
        operations: JsonObject[],
      ) => this.#patch(place, operations),
    };
    return objects as unknown as Objects;
  }

  #remove(resource: ResourceName, object: JsonObject): void {
    const live = this.#live(resource, String(at(object, "metadata", "name")));
    if (live === undefined) return;
    if (versionOf(live.object) !== versionOf(object)) throw new Conflict();
    const lost = this.#needing(live);
    if (lost !== undefined) throw new Loss(`${resource}/${nameOf(object)}: ${lost}`);
    this.#stored = this.#stored.filter((each) => each !== live);
    this.seen.removed++;
    if (resource === "services") this.seen.services++;
    if (isPoolerAccess(object)) this.seen.poolers++;
  }

  /** Who, in truth, needs an object: told by what was put into the world, by none of the rules that are tried. */
  #needing({ resource, object }: Stored): string | undefined {
    const name = nameOf(object);
    if (name === "theirs") return "it is somebody else's";
    if (name === "pg-outside") return "its address is known outside";
    const users = name.startsWith("patroni.")
      ? [...this.#pods, ...this.#sets.map(templateOf)]
      : injected(isPoolerAccess(object) ? this.#poolers : this.#pods);
    if (resource === "roles" || resource === "rolebindings") {
      const user = users.find((pod) => name.endsWith(`.${asString(at(pod, "spec", "serviceAccountName"))}`));
      return user && "a pod's ServiceAccount loses it";
    }
    if (resource !== "services") return injected(this.#pods).length > 0 ? "pods rest on it" : undefined;
    if (this.#pods.length + this.#sets.length > 0) return "there is a workload";
    const unusedMs = this.#now - Math.max(this.#markedAt.get(name) ?? this.#now, this.#usedAt);
    return unusedMs < 24 * HOUR_MS ? `it was unused for ${unusedMs / HOUR_MS} h only` : undefined;
  }

  #patch(
    { name, resourceVersion }: { name: string; resourceVersion: string },
    operations: JsonObject[],
  ): JsonObject {
    const live = this.#live("services", name);
    if (live === undefined || versionOf(live.object) !== resourceVersion) throw new Conflict();
    const value = operations.find(
      ({ op, path }) => op === "add" && String(path).includes("unused-since"),
    )?.value;
    if (value === undefined) this.#markedAt.delete(name);
    else this.#markedAt.set(name, this.#now);
    this.seen[value === undefined ? "unmarked" : "marked"]++;
    return this.#replace(live, value === undefined ? {} : { [SINCE]: value });
  }

  #touch(index: number): void {
    const live = this.#stored[index % Math.max(1, this.#stored.length)];
    if (live !== undefined)
      this.#replace(live, (at(live.object, "metadata", "annotations") ?? {}) as JsonObject);
  }

  #replace(live: Stored, annotations: JsonObject): JsonObject {
    const metadata = {
      ...(live.object.metadata as JsonObject),
      annotations,
      resourceVersion: `${this.#version++}`,
    };
    const object = { ...live.object, metadata };
    this.#stored = this.#stored.map((each) => (each === live ? { ...live, object } : each));
    return object;
  }

  #live = (resource: ResourceName, name: string): Stored | undefined =>
    this.#stored.find((each) => each.resource === resource && nameOf(each.object) === name);

  #store(
    resource: ResourceName,
    name: string,
    spec: JsonObject,
    labels: JsonObject = clusterLabels("pg"),
  ): Stored {
    const metadata = {
      namespace: "db",
      name,
      labels,
      annotations: {},
      resourceVersion: `${this.#version++}`,
    };
    return { resource, object: { metadata, spec } };
  }

  #snapshot() {
    return {
      pods: this.#pods.flatMap((pod) => podFacts(pod, settings) ?? []),
      poolers: this.#poolers.flatMap((pod) => poolerFacts(pod, settings) ?? []),
      templates: this.#sets.flatMap((set) => templateFacts(set, settings) ?? []),
      stored: this.#stored,
      opted: this.#opted,
    };
  }
}

class Conflict extends Error {}

const nameOf = (object: JsonObject): string => String(at(object, "metadata", "name"));
const versionOf = (object: JsonObject): string => String(at(object, "metadata", "resourceVersion"));
const templateOf = (set: JsonObject): JsonObject => at(set, "spec", "template") as JsonObject;

const isPoolerAccess = (object: JsonObject): boolean => nameOf(object).startsWith("patroni-injector-pooler.");
const injected = (pods: readonly JsonObject[]): JsonObject[] =>
  pods.filter((pod) => objectsIn(at(pod, "spec", "initContainers")).length > 0);

function poolerOf(account: string, isInjected: boolean, number: number): JsonObject {
  const env = [
    { name: "PATRONI_INJECTOR_ROLE", value: "pooler" },
    { name: "PATRONI_INJECTOR_CLUSTER", value: "pg" },
  ];
  const labels = { "patroni-injector.io/pooler-of": "pg" };
  return {
    metadata: { namespace: "db", name: `pool-${number}`, uid: `pool-${number}`, labels },
    spec: {
      serviceAccountName: account,
      initContainers: isInjected ? [{ name: "patroni-injector", image: "injector", env }] : [],
      containers: [{ name: "pgbouncer", image: "pgbouncer" }],
    },
  };
}

function podOf({ account, injected, selected, stripped }: PodShape, number: number): JsonObject {
  const labels = {
    ...(selected ? { application: "patroni" } : {}),
    ...(injected && !stripped ? { "patroni-injector.io/cluster": "pg" } : {}),
  };
  const sidecar = {
    name: "patroni-injector",
    image: "injector",
    restartPolicy: "Always",
    env: [{ name: "PATRONI_INJECTOR_CLUSTER", value: "pg" }],
  };
  return {
    metadata: { namespace: "db", name: `pg-${number}`, uid: `pod-${number}`, labels },
    spec: {
      serviceAccountName: account,
      initContainers: injected ? [sidecar] : [],
      containers: [{ name: "postgres", image: "patroni", env: [{ name: "PATRONI_SCOPE", value: "pg" }] }],
    },
  };
}

function setOf(number: number): JsonObject {
  const template = podOf({ account: "pg", injected: false, selected: true, stripped: false }, number);
  return { metadata: { namespace: "db", name: "pg", uid: `set-${number}` }, spec: { replicas: 0, template } };
}

function withoutLabel(pod: JsonObject): JsonObject {
  return { ...pod, metadata: { ...(pod.metadata as JsonObject), labels: {} } };
}
