import { setTimeout as delay } from "node:timers/promises";
import { at, objectsIn } from "../../../src/json/value.ts";
import type { Kubectl } from "../rig/kubectl.ts";
import type { MemberPod, Members, Settled } from "../rig/members.ts";
import type { Saboteur } from "../rig/saboteur.ts";
import { switchOver } from "./switchover.ts";

/** Where a fault strikes. */
export interface Scene {
  readonly kubectl: Kubectl;
  readonly members: Members;
  readonly saboteur: Saboteur;
  /** Who was what before it. */
  readonly before: Settled;
  readonly ttlSeconds: number;
}

export interface Fault {
  /** A DNS label. */
  readonly name: string;
  readonly title: string;
  /** Another member must be the primary afterwards (true), or it is Patroni's choice (false). */
  readonly movesPrimary: boolean;
  /** Makes the fault and takes it back: resolves when nothing of it is left but its consequences. */
  readonly strike: (scene: Scene) => Promise<void>;
}

/** Longer than the lock lives, with the time that a failover takes after it. */
const pastTheLock = ({ ttlSeconds }: Scene): Promise<void> => delay((ttlSeconds + 15) * 1000);

export const FAULTS: readonly Fault[] = [
  {
    name: "switchover",
    title: "patronictl switchover",
    movesPrimary: true,
    strike: ({ members, before: { primary, standbys } }) =>
      switchOver(members, primary, standbys[0] ?? primary),
  },
  {
    name: "kill-postgres",
    title: "kill -9 of the primary's postmaster",
    movesPrimary: false,
    async strike({ kubectl, members, before: { primary } }) {
      const kill = 'kill -9 "$(head -n 1 /home/postgres/data/pgroot/postmaster.pid)"';
      await kubectl.exec(members.ref(primary.name), ["sh", "-c", kill]);
    },
  },
  {
    name: "delete-graceful",
    title: "the primary's pod is deleted",
    movesPrimary: true,
    strike: (scene) => deleted(scene, ["--wait=true"]),
  },
  {
    name: "delete-grace-0",
    title: "the primary's pod is deleted with grace 0",
    movesPrimary: true,
    strike: (scene) => deleted(scene, ["--grace-period=0", "--force"]),
  },
  {
    name: "delete-forced-alive",
    title: "the primary's pod is deleted by force while its node is out of touch and its processes live",
    movesPrimary: false,
    strike: (scene) =>
      // Shorter than the node controller's patience (40 s): it would set every pod of the node to not ready.
      scene.saboteur.holdKubelet(25_000, () =>
        deleted(scene, ["--grace-period=0", "--force", "--wait=false"]),
      ),
  },
  {
    name: "freeze",
    title: "all processes of the primary's pod stop past the lock's life, then go on",
    movesPrimary: true,
    async strike(scene) {
      const { uid } = scene.before.primary;
      await scene.saboteur.freeze(uid);
      try {
        await pastTheLock(scene);
      } finally {
        await scene.saboteur.thaw(uid);
      }
    },
  },
  {
    name: "cut-dcs",
    title: "the primary is cut off from the DCS",
    movesPrimary: true,
    strike: async (scene) => cutOff(scene, await dcsAddresses(scene)),
  },
  {
    name: "cut-members",
    title: "the primary is cut off from the other members",
    movesPrimary: false,
    strike: (scene) => cutOff(scene, others(scene)),
  },
  {
    name: "cut-both",
    title: "the primary is cut off from the DCS and from the other members",
    movesPrimary: true,
    strike: async (scene) => cutOff(scene, [...(await dcsAddresses(scene)), ...others(scene)]),
  },
];

async function deleted({ kubectl, members, before }: Scene, flags: readonly string[]): Promise<void> {
  await kubectl.run(["delete", "pod", before.primary.name, `--namespace=${members.namespace}`, ...flags]);
}

type Address = { readonly ip: string; readonly port?: number };

async function cutOff(scene: Scene, addresses: readonly Address[]): Promise<void> {
  const { uid } = scene.before.primary;
  await scene.saboteur.cut(uid, addresses);
  try {
    await pastTheLock(scene);
  } finally {
    await scene.saboteur.mend(uid);
  }
}

const others = ({ before }: Scene): Address[] => before.standbys.map(({ ip }: MemberPod) => ({ ip }));

/** Of etcd where the cluster's namespace has one, else of the API server: those of its Service, and those behind it. */
async function dcsAddresses({ kubectl, members }: Scene): Promise<Address[]> {
  const etcd = await addressesOf(kubectl, members.namespace, "etcd");
  return etcd.length > 0 ? etcd : addressesOf(kubectl, "default", "kubernetes");
}

async function addressesOf(kubectl: Kubectl, namespace: string, service: string): Promise<Address[]> {
  const place = [`--namespace=${namespace}`, "--ignore-not-found", "--output=json"];
  const answers = ["service", "endpoints"].map((kind) => kubectl.run(["get", kind, service, ...place]));
  const [ofService = "", ofEndpoints = ""] = await Promise.all(answers);
  if (ofService.trim() === "" || ofEndpoints.trim() === "") return [];
  return [...serviceAddresses(JSON.parse(ofService)), ...endpointAddresses(JSON.parse(ofEndpoints))];
}

function serviceAddresses(service: unknown): Address[] {
  const ip = at(service, "spec", "clusterIP");
  if (typeof ip !== "string") return [];
  return objectsIn(at(service, "spec", "ports")).flatMap(({ port }) =>
    typeof port === "number" ? [{ ip, port }] : [],
  );
}

function endpointAddresses(endpoints: unknown): Address[] {
  return objectsIn(at(endpoints, "subsets")).flatMap(({ addresses, ports }) =>
    objectsIn(addresses).flatMap(({ ip }) =>
      objectsIn(ports).flatMap(({ port }) =>
        typeof ip === "string" && typeof port === "number" ? [{ ip, port }] : [],
      ),
    ),
  );
}
