import { asString, at, type JsonObject } from "../../json/value.ts";
import { type AuditContext, type Check, forCluster, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { type Finding, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { selects } from "../network/selector.ts";
import { labelsOf, podTemplates } from "../templates.ts";
import { type Entry, entriesIn } from "../webhook/entries.ts";
import { readyEndpoints } from "../webhook/places.ts";
import { targetOf } from "../webhook/target.ts";

/** As Istio names its configurations, revisions and tags included. */
const MESH = /^istio-(sidecar-injector|revision-tag)/;

/** The entries whose selectors hold this cluster's pods. */
function entriesFor(cluster: AuditedCluster, { snapshot }: AuditContext): Entry[] {
  const namespace = need(snapshot.objects("Namespace")).find(
    ({ metadata }) => at(metadata, "name") === cluster.namespace,
  );
  const namespaceLabels = labelsOf(namespace ?? {});
  const pods = podTemplates(cluster).map(({ pod }) => labelsOf(pod));
  return entriesIn(need(snapshot.objects("MutatingWebhookConfiguration"))).filter(
    ({ entry }) =>
      selects(entry.namespaceSelector, namespaceLabels) &&
      pods.some((labels) => selects(entry.objectSelector, labels)),
  );
}

/** Only where pods are to be changed, a webhook must be there. */
const look =
  (find: (entries: readonly Entry[], context: AuditContext) => Seeing) =>
  (cluster: AuditedCluster, context: AuditContext): Seeing =>
    cluster.mode === "enabled" ? find(entriesFor(cluster, context), context) : [];

const missing: Check = forCluster(["webhook-missing"], (cluster, context) => {
  if (cluster.mode !== "enabled" || entriesFor(cluster, context).length > 0) return [];
  const object = { kind: "Namespace", namespace: "", name: cluster.namespace };
  return [{ code: "webhook-missing", object, evidence: "no webhook entry selects its pods" }];
});

const untrusted: Check = forCluster(
  ["webhook-untrusted"],
  look(function* (entries, { trust }): Seeing {
    for (const { configuration, entry } of entries) {
      for (const doubt of trust(entry)) {
        if ("unseen" in doubt) yield doubt;
        else
          yield {
            code: "webhook-untrusted",
            object: refTo(configuration, "MutatingWebhookConfiguration"),
            field: "webhooks[].clientConfig.caBundle",
            evidence: `${asString(entry.name)}: ${doubt.refused}`,
          };
      }
    }
  }),
);

const unreachable: Check = forCluster(
  ["webhook-unreachable"],
  look((entries, { snapshot }) => {
    const targets = new Map(
      entries.flatMap(({ entry }) => {
        const target = targetOf(entry);
        return target?.kind === "service" ? [[`${target.namespace}/${target.name}`, target]] : [];
      }),
    );
    return [...targets.values()].flatMap(({ namespace, name }): Finding[] => {
      if (readyEndpoints(snapshot, namespace, name).length > 0) return [];
      const object = { kind: "Service", namespace, name };
      return [{ code: "webhook-unreachable", object, evidence: "no endpoint is ready" }];
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
