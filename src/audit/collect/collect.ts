import type { InjectionSettings } from "../../injection/settings.ts";
import type { JsonObject } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import type { OpenPort } from "../../kube/port-forward.ts";
import { auditModeNamespaces } from "../audit-mode.ts";
import { accessQuestions } from "../checks/permissions.ts";
import { type AuditedCluster, clustersIn } from "../clusters.ts";
import { contextOf, groundOf } from "../context.ts";
import { refTo } from "../finding.ts";
import type { Seen } from "../need.ts";
import { need } from "../need.ts";
import { NEIGHBOURS } from "../neighbours.ts";
import type { ReplicaMemory } from "../remembered.ts";
import {
  type AuditKind,
  type DryRun,
  KINDS,
  type MemberAnswers,
  type Shown,
  type Snapshot,
} from "../snapshot.ts";
import { surroundingsIn } from "../surroundings.ts";
import { type Entry, entriesIn } from "../webhook/entries.ts";
import { keyOf, targetOf } from "../webhook/target.ts";
import { type AccessAnswers, askAccess } from "./access.ts";
import { dryRun } from "./dry-run.ts";
import { KindObjects } from "./kind-objects.ts";
import { listAll, listPods } from "./lists.ts";
import { askMembers, type Way } from "./members.ts";
import { forEach } from "./pool.ts";
import { askReplicas } from "./replicas.ts";
import { askShown } from "./shown.ts";

export interface CollectOptions {
  readonly connection: KubeConnection;
  readonly settings: InjectionSettings;
  /** All of them where it is undefined. */
  readonly namespaces: readonly string[] | undefined;
  /** Try a pod of each workload: it takes the right to create pods. */
  readonly dryRuns: boolean;
  readonly way: Way;
  readonly openPort: OpenPort;
  /** Told of what begins, for people who wait. */
  progress(what: string): void;
}

const NOT_ASKED: Seen<never> = { unseen: "the member was not asked" };

/** Looks at a cluster, and changes nothing there: reads, SubjectAccessReviews, and pods by server-side dry-run where that is wanted. */
export async function collect(options: CollectOptions): Promise<Snapshot> {
  const { connection, settings, namespaces, progress } = options;
  progress("reading objects");
  const objects = await readObjects(connection, namespaces);
  const now = clockOf(connection);
  const first = snapshotOf(objects, NONE);
  const clusters = clustersOf(first, settings);
  const ground = groundOf({ snapshot: first, settings, surroundings: surroundingsIn(first), clusters });
  const cases = clusters.map((cluster) => ({ cluster, ...contextOf(cluster, ground) }));
  progress(`asking members of ${clusters.length} clusters`);
  const answers = await askMembers(connection, cases, options.way);
  const questions = clusters.flatMap(accessQuestions);
  progress(`asking for ${questions.length} permissions`);
  const access = await askAccess(connection, questions);
  const shown = await askShown(entriesFor(first, clusters), { ...options, snapshot: first, now });
  const dryRuns = options.dryRuns ? await tryWorkloads(options, clusters) : undefined;
  const inAuditMode = auditModeNamespaces(first, namespaces);
  const replicas = inAuditMode.size > 0 ? await askReplicas(connection, first.neighbours(), options.way) : [];
  return snapshotOf(objects, { answers, access, dryRuns, shown, replicas });
}

/** The API server's clock, as it was heard now: behind its proxy other servers answer, with clocks of their own. */
function clockOf(connection: KubeConnection): () => Date {
  const ahead = (connection.serverTime()?.getTime() ?? Date.now()) - Date.now();
  return () => new Date(Date.now() + ahead);
}

/** The webhook's entries, where there is anybody to inject. */
function entriesFor(snapshot: Snapshot, clusters: readonly AuditedCluster[]): Entry[] {
  const configurations = snapshot.objects(FIRST);
  const isWanted = "value" in configurations && clusters.some(({ mode }) => mode === "enabled");
  return isWanted ? entriesIn(configurations.value) : [];
}

function clustersOf(snapshot: Snapshot, settings: InjectionSettings): AuditedCluster[] {
  const [namespaces, pods, statefulSets] = (["Namespace", "Pod", "StatefulSet"] as const).map((kind) =>
    need(snapshot.objects(kind)),
  );
  return clustersIn(
    { namespaces: namespaces ?? [], pods: pods ?? [], statefulSets: statefulSets ?? [] },
    settings,
  );
}

async function tryWorkloads(
  { connection, progress }: CollectOptions,
  clusters: readonly AuditedCluster[],
): Promise<Map<string, Seen<DryRun>>> {
  const workloads = clusters.filter(({ mode }) => mode === "enabled").flatMap((cluster) => cluster.workloads);
  progress(`trying ${workloads.length} pods by dry-run`);
  const tried = await forEach(workloads, async (workload) => {
    const { namespace, workload: set } = workload.facts;
    return [`${namespace}/${set.name}`, await dryRun(connection, workload)] as const;
  });
  return new Map(tried);
}

interface Objects {
  readonly kinds: ReadonlyMap<AuditKind, KindObjects>;
  /** Undefined where all pods were read. */
  readonly neighbours: Seen<readonly JsonObject[]> | undefined;
}

/** The webhook's configuration comes first: it says where the webhook's Service is. */
async function readObjects(
  connection: KubeConnection,
  namespaces: readonly string[] | undefined,
): Promise<Objects> {
  const kinds = new Map<AuditKind, KindObjects>();
  const read = async (kind: AuditKind, beside: readonly string[]): Promise<void> => {
    const listed = await listAll(connection, kind, namespaces, beside);
    kinds.set(kind, new KindObjects(kind, listed, namespaces));
  };
  await read(FIRST, []);
  const configurations = kinds.get(FIRST)?.in(undefined);
  const homes = configurations && "value" in configurations ? webhookHomes(configurations.value) : [];
  const neighbours = namespaces === undefined ? undefined : await listPods(connection, NEIGHBOURS);
  const around =
    neighbours && "value" in neighbours ? neighbours.value.map((pod) => refTo(pod).namespace) : [];
  const beside: Partial<Record<AuditKind, readonly string[]>> = {
    Service: homes,
    EndpointSlice: homes,
    NetworkPolicy: around,
  };
  const others = KINDS.filter((kind) => kind !== FIRST);
  await forEach(others, (kind) => read(kind, beside[kind] ?? []));
  return { kinds, neighbours };
}

/** The namespaces of the Services behind the webhook's entries. */
const webhookHomes = (configurations: readonly JsonObject[]): string[] =>
  entriesIn(configurations).flatMap(({ entry }) => {
    const target = targetOf(entry);
    return target?.kind === "service" ? [target.namespace] : [];
  });

const FIRST = "MutatingWebhookConfiguration" satisfies AuditKind;

interface Beyond {
  readonly answers: ReadonlyMap<string, Seen<MemberAnswers>>;
  readonly access: AccessAnswers;
  /** Undefined where none was wanted. */
  readonly dryRuns: ReadonlyMap<string, Seen<DryRun>> | undefined;
  readonly shown: ReadonlyMap<string, Seen<readonly Shown[]>>;
  readonly replicas: readonly ReplicaMemory[];
}

const NONE: Beyond = {
  answers: new Map(),
  access: () => ({ unseen: "permissions were not asked for yet" }),
  dryRuns: undefined,
  shown: new Map(),
  replicas: [],
};

function snapshotOf({ kinds, neighbours }: Objects, beyond: Beyond): Snapshot {
  const { answers, access, dryRuns } = beyond;
  const objects: Snapshot["objects"] = (kind, namespace) =>
    kinds.get(kind)?.in(namespace) ?? { unseen: `${kind} was not read` };
  return {
    live: true,
    objects,
    neighbours: () => neighbours ?? objects("Pod"),
    answers: (namespace, pod) => answers.get(`${namespace}/${pod}`) ?? NOT_ASKED,
    access,
    dryRun: (namespace, set) =>
      dryRuns?.get(`${namespace}/${set}`) ?? { unseen: "no pod was tried (--no-dry-run)" },
    shown: (target) => beyond.shown.get(keyOf(target)) ?? { unseen: "the webhook was not asked" },
    replicas: () => beyond.replicas,
  };
}
