import { primarySliceName } from "../../contract/slice-annotations.ts";
import { access } from "../../controller/desired/access.ts";
import { decide } from "../../injection/decide.ts";
import type { JsonObject } from "../../json/value.ts";
import { type AuditContext, type Check, forCluster, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import type { Finding, ObjectRef } from "../finding.ts";
import { need } from "../need.ts";
import type { AccessQuestion, Snapshot } from "../snapshot.ts";
import { podTemplates } from "../templates.ts";

/** Something that a ServiceAccount must be allowed. */
type Wanted = Pick<AccessQuestion, "group" | "resource" | "verb" | "inNamespace" | "name">;

/** What Patroni does with its store (kubernetes.py), with Kubernetes as DCS. */
const STORE_VERBS = ["create", "get", "list", "patch", "update", "watch"];
const POD_VERBS = ["get", "list", "patch", "watch"];

function patroniNeeds({ namespace, settings }: AuditedCluster): Wanted[] {
  if (settings.leaderObject === undefined) return [];
  const [store = ""] = settings.leaderObject.split("/");
  const core = (resource: string, verbs: readonly string[]): Wanted[] =>
    verbs.map((verb) => ({ group: "", resource, verb, inNamespace: namespace }));
  return [...core(store, STORE_VERBS), ...core("pods", POD_VERBS)];
}

/** Read by Patroni to talk to the API server's nodes themselves. */
const API_ENDPOINTS: Wanted = {
  group: "",
  resource: "endpoints",
  verb: "get",
  inNamespace: "default",
  name: "kubernetes",
};

function sidecarNeeds({ namespace, settings }: AuditedCluster): Wanted[] {
  const slice = primarySliceName(settings.primaryService);
  const [resource, name] = settings.leaderObject?.split("/") ?? [];
  return [
    ...["get", "watch", "update"].map((verb) => ({
      group: "discovery.k8s.io",
      resource: "endpointslices",
      verb,
      inNamespace: namespace,
      name: slice,
    })),
    ...(resource === undefined || name === undefined
      ? []
      : ["get", "watch"].map((verb) => ({ group: "", resource, verb, inNamespace: namespace, name }))),
  ];
}

/** Everything that the checks of this cluster will want to know: it is asked beforehand. */
export function accessQuestions(cluster: AuditedCluster): AccessQuestion[] {
  const isInKubernetes = cluster.settings.leaderObject !== undefined;
  const wanted = [
    ...patroniNeeds(cluster),
    ...(isInKubernetes ? [API_ENDPOINTS] : []),
    ...(cluster.mode === "enabled" ? sidecarNeeds(cluster) : []),
  ];
  return serviceAccountsOf(cluster).flatMap((serviceAccount) =>
    wanted.map((each) => ({ namespace: cluster.namespace, serviceAccount, ...each })),
  );
}

/** Of members and of workloads that have none yet: whatever else cannot be seen, these can be asked for. */
const serviceAccountsOf = ({ members, workloads }: AuditedCluster): string[] =>
  [...new Set([...members, ...workloads].map(({ facts }) => facts.settings.serviceAccount))].sort();

/** The ServiceAccounts of the cluster, each with what it is not allowed. */
function lacking(
  cluster: AuditedCluster,
  context: AuditContext,
  wanted: readonly Wanted[],
): (readonly [account: ObjectRef, lacking: readonly Wanted[]])[] {
  return serviceAccountsOf(cluster).flatMap((serviceAccount) => {
    const missing = wanted.filter(
      (each) => !isAllowed(context.snapshot, cluster.namespace, serviceAccount, each),
    );
    const account = { kind: "ServiceAccount", namespace: cluster.namespace, name: serviceAccount };
    return missing.length === 0 ? [] : [[account, missing] as const];
  });
}

const isAllowed = (snapshot: Snapshot, namespace: string, serviceAccount: string, wanted: Wanted): boolean =>
  need(snapshot.access({ namespace, serviceAccount, ...wanted }));

/** `may not patch, update configmaps in db`, and so on for each resource. */
function inWords(missing: readonly Wanted[]): string {
  const verbs = new Map<string, string[]>();
  for (const { verb, resource, name, inNamespace } of missing) {
    const what = `${resource}${name === undefined ? "" : ` ${name}`} in ${inNamespace}`;
    verbs.set(what, [...(verbs.get(what) ?? []), verb]);
  }
  return [...verbs].map(([what, list]) => `may not ${list.join(", ")} ${what}`).join("; ");
}

const patroni: Check = forCluster(["patroni-permissions"], (cluster, context) =>
  lacking(cluster, context, patroniNeeds(cluster)).map(([object, missing]) => ({
    code: "patroni-permissions",
    object,
    evidence: inWords(missing),
    fix: granting(`patroni-${object.name}`, cluster.namespace, object, patroniRules(cluster)),
  })),
);

const inDefault: Check = forCluster(["patroni-default-permissions"], (cluster, context): Finding[] => {
  if (cluster.settings.leaderObject === undefined) return [];
  return lacking(cluster, context, [API_ENDPOINTS]).map(([object, missing]) => ({
    code: "patroni-default-permissions",
    object,
    evidence: inWords(missing),
    fix: granting(`patroni-${object.namespace}.${object.name}`, "default", object, [
      { apiGroups: [""], resources: ["endpoints"], resourceNames: ["kubernetes"], verbs: ["get"] },
    ]),
  }));
});

function patroniRules({ settings }: AuditedCluster): JsonObject[] {
  const [store = ""] = settings.leaderObject?.split("/") ?? [];
  return [
    { apiGroups: [""], resources: [store], verbs: STORE_VERBS },
    { apiGroups: [""], resources: ["pods"], verbs: POD_VERBS },
  ];
}

/** A Role with these rules, bound to the account. */
function granting(name: string, namespace: string, account: ObjectRef, rules: JsonObject[]): JsonObject[] {
  const apiVersion = "rbac.authorization.k8s.io/v1";
  return [
    { apiVersion, kind: "Role", metadata: { namespace, name }, rules },
    {
      apiVersion,
      kind: "RoleBinding",
      metadata: { namespace, name },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
      subjects: [{ kind: "ServiceAccount", namespace: account.namespace, name: account.name }],
    },
  ];
}

/** The controller grants this in namespaces that have opted in. */
const sidecar: Check = forCluster(["sidecar-permissions"], (cluster, context): Finding[] => {
  if (cluster.mode !== "enabled") return [];
  const fixes = access(context.view()).map(({ object }) => object);
  return lacking(cluster, context, sidecarNeeds(cluster)).map(([object, missing]) => ({
    code: "sidecar-permissions",
    object,
    evidence: inWords(missing),
    fix: fixes,
  }));
});

const shared: Check = forCluster(["shared-serviceaccount"], (cluster, context) =>
  context.view().sharedServiceAccounts.map((name) => ({
    code: "shared-serviceaccount",
    object: { kind: "ServiceAccount", namespace: cluster.namespace, name },
    evidence: `another cluster of ${cluster.namespace} uses it too`,
  })),
);

const spiloToken: Check = forCluster(
  ["spilo-token-unreadable"],
  function* (cluster, { settings, surroundings }): Seeing {
    for (const { pod, object, path } of podTemplates(cluster)) {
      const subject = { pod, namespace: cluster.namespace, origin: "template" as const, job: false };
      const decision = decide(subject, settings, surroundings);
      const note = decision.notes.find(({ reason }) => reason === "spilo-token-unreadable");
      if (note === undefined) continue;
      const field = `${path}spec.securityContext.fsGroup`;
      yield { code: "spilo-token-unreadable", object, field, evidence: note.detail };
    }
  },
);

export const PERMISSIONS: readonly Check[] = [patroni, inDefault, sidecar, shared, spiloToken];
