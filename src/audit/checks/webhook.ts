import { DOMAIN } from "../../contract/names.ts";
import { SLICE_SERVICE_LABEL } from "../../contract/slice-annotations.ts";
import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { type AuditContext, type Check, forCluster } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { type Finding, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { selects } from "../network/selector.ts";
import { labelsOf, podTemplates } from "../templates.ts";

/** Entries that change pods, as `serve` registers them. */
const ENTRY = new RegExp(`^\\d+\\.mutate\\.${DOMAIN.replaceAll(".", "\\.")}$`);

/** As Istio names its configurations, revisions and tags included. */
const MESH = /^istio-(sidecar-injector|revision-tag)/;

interface Entry {
  readonly configuration: JsonObject;
  readonly entry: JsonObject;
}

/** The namespaces of the Services behind these configurations' entries of ours. */
export function webhookNamespaces(configurations: readonly JsonObject[]): string[] {
  const entries = configurations.flatMap(({ webhooks }) => objectsIn(webhooks));
  const ours = entries.filter(({ name }) => ENTRY.test(asString(name) ?? ""));
  return [
    ...new Set(ours.flatMap((entry) => asString(at(entry, "clientConfig", "service", "namespace")) ?? [])),
  ];
}

/** The entries whose selectors hold this cluster's pods. */
function entriesFor(cluster: AuditedCluster, { snapshot }: AuditContext): Entry[] {
  const namespace = need(snapshot.objects("Namespace")).find(
    ({ metadata }) => at(metadata, "name") === cluster.namespace,
  );
  const namespaceLabels = labelsOf(namespace ?? {});
  const pods = podTemplates(cluster).map(({ pod }) => labelsOf(pod));
  return need(snapshot.objects("MutatingWebhookConfiguration"))
    .flatMap((configuration) => objectsIn(configuration.webhooks).map((entry) => ({ configuration, entry })))
    .filter(
      ({ entry }) =>
        ENTRY.test(asString(entry.name) ?? "") &&
        selects(entry.namespaceSelector, namespaceLabels) &&
        pods.some((labels) => selects(entry.objectSelector, labels)),
    );
}

/** Only where pods are to be changed, a webhook must be there. */
const look =
  (find: (entries: readonly Entry[], context: AuditContext) => Finding[]) =>
  (cluster: AuditedCluster, context: AuditContext): Finding[] =>
    cluster.mode === "enabled" ? find(entriesFor(cluster, context), context) : [];

const missing: Check = forCluster(["webhook-missing"], (cluster, context) => {
  if (cluster.mode !== "enabled" || entriesFor(cluster, context).length > 0) return [];
  const object = { kind: "Namespace", namespace: "", name: cluster.namespace };
  return [{ code: "webhook-missing", object, evidence: "no webhook entry selects its pods" }];
});

const untrusted: Check = forCluster(
  ["webhook-untrusted"],
  look((entries) =>
    entries
      .filter(({ entry }) => !asString(at(entry, "clientConfig", "caBundle")))
      .map(({ configuration, entry }) => ({
        code: "webhook-untrusted",
        object: refTo(configuration, "MutatingWebhookConfiguration"),
        field: "webhooks[].clientConfig.caBundle",
        evidence: `${String(entry.name)} has no caBundle`,
      })),
  ),
);

const unreachable: Check = forCluster(
  ["webhook-unreachable"],
  look((entries, { snapshot }) => {
    const services = new Map(
      entries.flatMap(({ entry }) => {
        const [namespace, name] = ["namespace", "name"].map((key) =>
          asString(at(entry, "clientConfig", "service", key)),
        );
        return namespace === undefined || name === undefined
          ? []
          : [[`${namespace}/${name}`, { namespace, name }]];
      }),
    );
    return [...services.values()].flatMap(({ namespace, name }): Finding[] => {
      const ready = need(snapshot.objects("EndpointSlice", namespace))
        .filter(({ metadata }) => at(metadata, "labels", SLICE_SERVICE_LABEL) === name)
        .flatMap(({ endpoints }) => objectsIn(endpoints))
        .filter((endpoint) => at(endpoint, "conditions", "ready") !== false);
      const object = { kind: "Service", namespace, name };
      return ready.length > 0
        ? []
        : [{ code: "webhook-unreachable", object, evidence: "no endpoint is ready" }];
    });
  }),
);

/** The API server calls configurations in the byte order of their names. */
const order: Check = forCluster(
  ["webhook-order"],
  look((entries, { snapshot }) => {
    const others = need(snapshot.objects("MutatingWebhookConfiguration"))
      .map(nameOf)
      .filter((name) => MESH.test(name));
    const ours = new Map(entries.map(({ configuration }) => [nameOf(configuration), configuration]));
    return [...ours].flatMap(([name, configuration]): Finding[] => {
      const before = others.filter((other) => Buffer.compare(Buffer.from(other), Buffer.from(name)) < 0);
      if (before.length === 0) return [];
      const object = refTo(configuration, "MutatingWebhookConfiguration");
      return [
        {
          code: "webhook-order",
          object,
          field: "metadata.name",
          evidence: `${before.join(", ")} is called first`,
        },
      ];
    });
  }),
);

const nameOf = (object: JsonObject): string => asString(at(object, "metadata", "name")) ?? "";

export const WEBHOOK: readonly Check[] = [missing, untrusted, unreachable, order];
