import type { InjectionSettings } from "../../injection/settings.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import type { AuditContext } from "../check.ts";
import { accessQuestions } from "../checks/permissions.ts";
import { type AuditedCluster, clustersIn } from "../clusters.ts";
import { need } from "../need.ts";
import { terrainOf } from "../network/terrain.ts";
import {
  type AuditKind,
  type DryRun,
  KINDS,
  type MemberAnswers,
  ObjectIndex,
  type Seen,
  type Snapshot,
} from "../snapshot.ts";
import { surroundingsIn } from "../surroundings.ts";
import { type AccessAnswers, askAccess } from "./access.ts";
import { dryRun } from "./dry-run.ts";
import { listAll } from "./lists.ts";
import { askMembers, type Way } from "./members.ts";
import { forEach } from "./pool.ts";

export interface CollectOptions {
  readonly connection: KubeConnection;
  readonly settings: InjectionSettings;
  /** All of them where it is undefined. */
  readonly namespaces: readonly string[] | undefined;
  /** Try a pod of each workload: it takes the right to create pods. */
  readonly dryRuns: boolean;
  readonly way: Way;
  /** Told of what begins, for people who wait. */
  progress(what: string): void;
}

const NOT_ASKED: Seen<never> = { unseen: "the member was not asked" };

/** Looks at a cluster, and changes nothing there: reads, SubjectAccessReviews, and pods by server-side dry-run where that is wanted. */
export async function collect(options: CollectOptions): Promise<Snapshot> {
  const { connection, settings, namespaces, progress } = options;
  progress("reading objects");
  const lists: Lists = new Map();
  await forEach(KINDS, async (kind) => {
    const list = await listAll(connection, kind, namespaces);
    lists.set(kind, "unseen" in list ? list : { value: new ObjectIndex(list.value) });
  });
  const first = snapshotOf(lists, NONE);
  const clusters = clustersOf(first, settings);
  progress(`asking members of ${clusters.length} clusters`);
  const answers = await askMembers(connection, clusters, options.way);
  const context: AuditContext = {
    snapshot: first,
    settings,
    surroundings: surroundingsIn(first),
    clusters,
    terrain: terrainOf(first),
  };
  const questions = clusters.flatMap((cluster) => accessQuestions(cluster, context));
  progress(`asking for ${questions.length} permissions`);
  const access = await askAccess(connection, questions);
  const dryRuns = options.dryRuns ? await tryWorkloads(options, clusters) : undefined;
  return snapshotOf(lists, { answers, access, dryRuns });
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

type Lists = Map<AuditKind, Seen<ObjectIndex>>;

interface Beyond {
  readonly answers: ReadonlyMap<string, Seen<MemberAnswers>>;
  readonly access: AccessAnswers;
  /** Undefined where none was wanted. */
  readonly dryRuns: ReadonlyMap<string, Seen<DryRun>> | undefined;
}

const NONE: Beyond = {
  answers: new Map(),
  access: () => ({ unseen: "permissions were not asked for yet" }),
  dryRuns: undefined,
};

function snapshotOf(lists: Lists, beyond: Beyond): Snapshot {
  const { answers, access, dryRuns } = beyond;
  return {
    live: true,
    objects: (kind, namespace) => {
      const list = lists.get(kind) ?? { unseen: `${kind} was not read` };
      return "unseen" in list ? list : { value: list.value.in(namespace) };
    },
    answers: (namespace, pod) => answers.get(`${namespace}/${pod}`) ?? NOT_ASKED,
    access,
    dryRun: (namespace, set) =>
      dryRuns?.get(`${namespace}/${set}`) ?? { unseen: "no pod was tried (--no-dry-run)" },
  };
}
