import { isIP } from "node:net";
import { headlessService } from "../../controller/desired/headless-service.ts";
import { serviceFacts } from "../../injection/settings.ts";
import { asObject, asString, at, type JsonObject } from "../../json/value.ts";
import { type AuditContext, type Check, forCluster, forMembers, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { type Finding, type ObjectRef, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { plain } from "../plain.ts";

const announced = forMembers(
  ["announces-ip", "name-unresolved"],
  function* (member, cluster, context): Seeing {
    const { host } = need(context.dcs.statement(member.facts.name));
    if (host === undefined) return;
    const object = refTo(member.pod, "Pod");
    const field = "metadata.annotations.status";
    if (isIP(host) !== 0) {
      yield { code: "announces-ip", object, field, evidence: `conn_url has ${host}` };
      return;
    }
    const problem = unresolved(host, member.pod, cluster, context);
    if (problem !== undefined)
      yield { code: "name-unresolved", object, field, evidence: `conn_url has ${host}: ${problem}` };
  },
);

/**
 * Why a name within the cluster resolves to no pod. Names of other domains cannot be judged from here, and count as fine: somebody
 * set them on purpose.
 */
function unresolved(
  host: string,
  pod: JsonObject,
  { namespace }: AuditedCluster,
  { snapshot, settings }: AuditContext,
): string | undefined {
  const domain = `.svc.${settings.clusterDomain}`;
  const short = [domain, ".svc"].reduce(
    (name, end) => (name.endsWith(end) ? name.slice(0, -end.length) : name),
    host,
  );
  const isWhole = short !== host;
  const parts = short.split(".");
  const serviceOf = (name: string, inside: string) =>
    need(snapshot.objects("Service", inside)).find(({ metadata }) => at(metadata, "name") === name);

  const [first = "", second = "", third] = parts;
  if (parts.length === 1)
    return serviceOf(first, namespace) === undefined ? `there is no Service ${first}` : undefined;
  if (parts.length === 2 && serviceOf(first, second) !== undefined) return undefined;
  if (!isWhole && parts.length > 3) return undefined;
  const inside = third ?? namespace;
  const service = serviceOf(second, inside);
  if (service === undefined)
    return isWhole || parts.length === 2 ? `there is no Service ${inside}/${second}` : undefined;
  if (!serviceFacts(service).headless) return `Service ${inside}/${second} has a ClusterIP`;
  const hostname = at(pod, "spec", "hostname");
  const subdomain = at(pod, "spec", "subdomain");
  if (hostname !== first || subdomain !== second)
    return `the pod's hostname and subdomain are ${String(hostname)} and ${String(subdomain)}`;
  const labels = asObject(at(pod, "metadata", "labels")) ?? {};
  const odd = Object.entries(serviceFacts(service).selector).find(([key, value]) => labels[key] !== value);
  return odd && `Service ${inside}/${second} selects ${odd[0]}=${odd[1]}, which the pod has not`;
}

const missing = forCluster(["headless-missing"], (cluster, context): Finding[] => {
  if (!context.snapshot.live) return [];
  const view = context.view();
  if (cluster.mode !== "enabled" || view.headlessService !== undefined) return [];
  const made = headlessService(view)?.object;
  const object: ObjectRef = {
    kind: "Service",
    namespace: cluster.namespace,
    name: cluster.settings.headlessService,
  };
  return [
    {
      code: "headless-missing",
      object,
      evidence: "there is no such Service",
      ...(made ? { fix: [made] } : {}),
    },
  ];
});

/** The Services that carry the members' names: by their subdomain, or the workload's `serviceName`. */
const carriers = forCluster(
  ["headless-not-ready", "subdomain-not-headless"],
  (cluster, context): Finding[] => {
    const services = need(context.snapshot.objects("Service", cluster.namespace));
    return [...subdomains(cluster)].flatMap((name): Finding[] => {
      const service = services.find(({ metadata }) => at(metadata, "name") === name);
      if (service === undefined) return [];
      const { headless, publishNotReadyAddresses } = serviceFacts(service);
      const object = refTo(service, "Service");
      if (!headless)
        return [
          {
            code: "subdomain-not-headless",
            object,
            field: "spec.clusterIP",
            evidence: `clusterIP: ${String(at(service, "spec", "clusterIP"))}`,
          },
        ];
      if (publishNotReadyAddresses) return [];
      return [
        {
          code: "headless-not-ready",
          object,
          field: "spec.publishNotReadyAddresses",
          evidence: "publishNotReadyAddresses is not set",
          fix: [publishing(service)],
        },
      ];
    });
  },
);

function subdomains({ members, workloads }: AuditedCluster): Set<string> {
  const ofPods = members.map(({ pod }) => asString(at(pod, "spec", "subdomain")));
  const ofSets = workloads.map(({ statefulSet }) => asString(at(statefulSet, "spec", "serviceName")));
  const names = members.length > 0 ? ofPods : ofSets;
  return new Set(names.filter((name): name is string => !!name));
}

function publishing(service: JsonObject): JsonObject {
  const written = plain(service);
  return { ...written, spec: { ...asObject(written.spec), publishNotReadyAddresses: true } };
}

export const ADDRESSES: readonly Check[] = [announced, missing, carriers];
