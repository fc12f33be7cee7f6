import type { AuditGround, Check, Outcome } from "../../../src/audit/check.ts";
import { clustersIn } from "../../../src/audit/clusters.ts";
import { groundOf as auditGroundOf, contextOf } from "../../../src/audit/context.ts";
import type { Seen } from "../../../src/audit/need.ts";
import type { ReplicaMemory } from "../../../src/audit/remembered.ts";
import {
  type AccessQuestion,
  type AuditKind,
  type DryRun,
  type MemberAnswers,
  ObjectIndex,
  type Shown,
  type Snapshot,
} from "../../../src/audit/snapshot.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { settingsOf, surroundingsOf } from "../injection/world.ts";

/** What a test lets an audit see. */
export interface World {
  /** A running cluster, unless it says otherwise. */
  readonly live?: boolean;
  readonly objects?: readonly JsonObject[];
  /** Kinds that cannot be looked at, and why. */
  readonly hidden?: Partial<Record<AuditKind, string>>;
  /** Why objects of a kind in a namespace cannot be looked at; undefined where they can. */
  readonly hide?: (kind: AuditKind, namespace?: string) => string | undefined;
  /** By `<namespace>/<pod>`. */
  readonly answers?: Readonly<Record<string, MemberAnswers>>;
  readonly access?: (question: AccessQuestion) => Seen<boolean>;
  /** By `<namespace>/<StatefulSet>`. */
  readonly dryRuns?: Readonly<Record<string, DryRun>>;
  /** What the webhook shows, wherever it is called. */
  readonly shown?: readonly Shown[];
  readonly replicas?: readonly ReplicaMemory[];
}

export function snapshotOf(world: World): Snapshot {
  const {
    live = true,
    objects = [],
    hidden = {},
    hide = () => undefined,
    answers = {},
    access,
    dryRuns = {},
    shown,
    replicas = [],
  } = world;
  const of = (kind: AuditKind, namespace?: string): Seen<readonly JsonObject[]> => {
    const why = hidden[kind] ?? hide(kind, namespace);
    return why === undefined
      ? { value: new ObjectIndex(objects.filter((object) => object.kind === kind)).in(namespace) }
      : { unseen: why };
  };
  const seen = <Value>(value: Value | undefined, why: string): Seen<Value> =>
    value === undefined ? { unseen: why } : { value };
  return {
    live,
    objects: of,
    neighbours: () => of("Pod"),
    answers: (namespace, pod) => seen(answers[`${namespace}/${pod}`], `${pod} was not asked`),
    access: access ?? (() => ({ unseen: "permissions were not asked for" })),
    dryRun: (namespace, name) => seen(dryRuns[`${namespace}/${name}`], "no dry-run was made"),
    shown: () => seen(shown, "the webhook was not asked"),
    replicas: () => replicas,
  };
}

export function groundOf(world: World): AuditGround {
  const snapshot = snapshotOf(world);
  const of = (kind: string) => (world.objects ?? []).filter((object) => object.kind === kind);
  const clusters = clustersIn(
    { namespaces: of("Namespace"), pods: of("Pod"), statefulSets: of("StatefulSet") },
    settingsOf({}),
  );
  return auditGroundOf({ snapshot, settings: settingsOf({}), surroundings: surroundingsOf({}), clusters });
}

/** What checks find in a world's only cluster. */
export function audited(checks: readonly Check[], world: World): Outcome {
  const ground = groundOf(world);
  const [cluster, ...others] = ground.clusters;
  if (cluster === undefined || others.length > 0)
    throw new Error(`the world must hold one Patroni cluster, and holds ${ground.clusters.length}`);
  const context = contextOf(cluster, ground);
  const outcomes = checks.map((check) => check.run(cluster, context));
  return {
    findings: outcomes.flatMap(({ findings }) => findings),
    unseen: outcomes.flatMap(({ unseen }) => unseen),
  };
}

/** The codes alone, in order, each once. */
export const codesOf = ({ findings }: Outcome): string[] =>
  [...new Set(findings.map(({ code }) => code))].sort();

export const namespace = (name: string, labels: Record<string, string> = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { "kubernetes.io/metadata.name": name, ...labels } },
});

/** An object of namespace `db`. */
export const object = (
  kind: string,
  name: string,
  rest: JsonObject = {},
  metadata: JsonObject = {},
): JsonObject => ({
  kind,
  metadata: { namespace: "db", name, ...metadata },
  ...rest,
});

const LABELS = { application: "patroni", "cluster-name": "pg" };

const podSpec = (changes: JsonObject = {}): JsonObject => ({
  containers: [
    {
      name: "postgres",
      image: "example.test/patroni:4",
      env: [
        { name: "PATRONI_SCOPE", value: "pg" },
        { name: "PATRONI_KUBERNETES_LABELS", value: "{application: patroni}" },
      ],
      ports: [
        { name: "postgresql", containerPort: 5432 },
        { name: "patroni", containerPort: 8008 },
      ],
    },
  ],
  ...changes,
});

/** Member `pg-<ordinal>` of cluster `pg` in namespace `db`. */
export const member = (ordinal: number, spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    namespace: "db",
    name: `pg-${ordinal}`,
    uid: `u${ordinal}`,
    labels: { ...LABELS, role: ordinal === 0 ? "primary" : "replica" },
    ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "pg", uid: "s", controller: true }],
    ...metadata,
  },
  spec: podSpec({ nodeName: `node-${ordinal}`, ...spec }),
  status: { phase: "Running", podIP: `10.244.0.${ordinal + 1}`, podIPs: [{ ip: `10.244.0.${ordinal + 1}` }] },
});

/** StatefulSet `pg` in namespace `db`. */
export const statefulSet = (podChanges: JsonObject = {}, specChanges: JsonObject = {}): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { namespace: "db", name: "pg", uid: "s" },
  spec: {
    replicas: 3,
    serviceName: "pg",
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: podSpec(podChanges) },
    ...specChanges,
  },
});

/** A cluster of three that runs, in a namespace that has opted in. */
export const threeMembers = (): JsonObject[] => [
  namespace("db", { "patroni-injector.io/injection": "enabled" }),
  statefulSet(),
  member(0),
  member(1),
  member(2),
];
