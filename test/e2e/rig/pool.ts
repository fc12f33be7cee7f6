import { PGBOUNCER_PORT } from "../../../src/contract/ports.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { PASSWORD } from "../manifests/patroni.ts";
import {
  CONSOLE_USER,
  PGBOUNCER_CONTAINER,
  type Pooled,
  poolConfig,
  poolContainer,
  poolVolumes,
} from "../manifests/pgbouncer.ts";
import type { Deployed } from "./deploy.ts";
import { until } from "./kubectl.ts";
import type { MemberPod } from "./members.ts";
import { touch } from "./reload.ts";
import type { ReloadCaller } from "./reload-caller.ts";
import type { Saboteur } from "./saboteur.ts";
import { containerId, statusOf } from "./sidecars.ts";

const MATERIALISES_WITHIN_MS = 60_000;
const RESTARTS_WITHIN_MS = 90_000;

/** The PgBouncer of one of the cluster's pods, as it is seen without the reload API. */
export class Pool {
  readonly #deployed: Deployed;
  readonly pod: string;

  constructor(deployed: Deployed, pod: string) {
    this.#deployed = deployed;
    this.pod = pod;
  }

  /** Changes the pools' ConfigMap, and lets the kubelet look at this pod's volumes. */
  async configure(version: number, pooled?: Pooled): Promise<void> {
    const { kubectl, members, service } = this.#deployed;
    await kubectl.apply([poolConfig(members.namespace, service, version, pooled)]);
    await touch(this.#deployed, this.pod);
  }

  /** {@link configure}, and waits until the files are in the pod. */
  async materialise(caller: ReloadCaller, version: number, pooled?: Pooled): Promise<void> {
    await this.configure(version, pooled);
    await until(
      `version ${version} is in ${this.pod}`,
      MATERIALISES_WITHIN_MS,
      async () => (await caller.status("pgbouncer")).materialisedVersion === version || undefined,
      100,
    );
  }

  /** A setting as PgBouncer's console shows it. */
  async setting(key: string): Promise<string | undefined> {
    const { kubectl, members } = this.#deployed;
    const url = `postgresql://${CONSOLE_USER}:${PASSWORD}@127.0.0.1:${PGBOUNCER_PORT}/pgbouncer`;
    const shown = await kubectl.exec(members.ref(this.pod), ["psql", url, "-XAtc", "SHOW CONFIG"]);
    const row = shown.split("\n").find((line) => line.startsWith(`${key}|`));
    return row?.split("|")[1];
  }

  /** How often the container's log has a text since it was last started. */
  async logged(text: string): Promise<number> {
    const { kubectl, members } = this.#deployed;
    const place = [`--namespace=${members.namespace}`, `--container=${PGBOUNCER_CONTAINER}`];
    return (await kubectl.run(["logs", this.pod, ...place])).split(text).length - 1;
  }

  /** Kills PgBouncer. @returns waits until the kubelet has started it again */
  async kill(saboteur: Saboteur): Promise<() => Promise<void>> {
    const before = statusOf((await this.#object()).object, PGBOUNCER_CONTAINER);
    await saboteur.kill(containerId(before) ?? "");
    return async () => {
      await until(`PgBouncer of ${this.pod} runs again`, RESTARTS_WITHIN_MS, async () => {
        const status = statusOf((await this.#object()).object, PGBOUNCER_CONTAINER);
        const isAnother = containerId(status) !== containerId(before);
        return (isAnother && at(status, "ready") === true) || undefined;
      });
    };
  }

  #object(): Promise<MemberPod> {
    return this.#deployed.members.pod(this.pod);
  }
}

/** A PgBouncer like those of the cluster's pods in a pod of its own, to which nobody says RECONNECT. @returns its address */
export async function startLonePool({ kubectl, members, target }: Deployed): Promise<string> {
  const { namespace } = members;
  const pod: JsonObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "lone-pool", namespace },
    spec: {
      terminationGracePeriodSeconds: 1,
      securityContext: { fsGroup: 999 },
      containers: [poolContainer(target.images.pgbouncer)],
      volumes: [...poolVolumes],
    },
  };
  await kubectl.apply([pod]);
  return until("the lone pool's address", 60_000, async () => {
    const ip = at(
      await kubectl.json(["get", "pod", "lone-pool", `--namespace=${namespace}`]),
      "status",
      "podIP",
    );
    return typeof ip === "string" ? ip : undefined;
  });
}
