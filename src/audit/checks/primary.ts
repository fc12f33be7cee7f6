import { TAKE_OVER_ANNOTATION } from "../../contract/service-annotations.ts";
import { occupation } from "../../controller/slice/occupied.ts";
import { ourSlice } from "../../controller/slice/ours.ts";
import { legacyDiscoveryContainer } from "../../injection/legacy-discovery.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { findPatroniContainer } from "../../patroni/container.ts";
import { isPrimaryRole } from "../../patroni/status.ts";
import { type AuditContext, type Check, forCluster, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { type Finding, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { plain } from "../plain.ts";
import { podTemplates } from "../templates.ts";

/** Where the source is an Endpoints object that leads astray, that is the news, and not that it is there. */
const occupied = forCluster(["service-occupied", "stale-endpoints"], (cluster, context) => {
  const view = context.view();
  const service = view.primaryService;
  if (service === undefined) return [];
  const stale = staleAddresses(cluster, context);
  const fix = [takenOver(service)];
  if (stale !== undefined) {
    const { endpoints, evidence } = stale;
    return [
      { code: "stale-endpoints", object: refTo(endpoints, "Endpoints"), field: "subsets", evidence, fix },
    ];
  }
  const standing = occupation(view, service);
  if (standing.kind !== "occupied") return [];
  const isEndpoints = view.endpoints !== undefined && !view.endpoints.skipMirror;
  return [
    {
      code: "service-occupied",
      object: refTo(service, "Service"),
      evidence: standing.why,
      ...(isEndpoints ? { fix } : {}),
    },
  ];
});

interface Stale {
  readonly endpoints: JsonObject;
  readonly evidence: string;
}

/** An Endpoints object that is in force, and does not hold exactly the address of the leader. */
function staleAddresses(cluster: AuditedCluster, context: AuditContext): Stale | undefined {
  const { endpoints: facts, primaryService } = context.view();
  if (facts === undefined || facts.skipMirror) return undefined;
  // What a selector writes is Kubernetes' own, and follows the pods.
  if (Object.keys(asObject(at(primaryService, "spec", "selector")) ?? {}).length > 0) return undefined;
  const endpoints = need(context.snapshot.objects("Endpoints", cluster.namespace)).find(
    ({ metadata }) => at(metadata, "name") === facts.name,
  );
  const leader = need(context.dcs.leader);
  const address = cluster.members.find(({ facts: { name } }) => name === leader)?.facts.ip;
  const shown = objectsIn(endpoints?.subsets)
    .flatMap(({ addresses }) => objectsIn(addresses))
    .flatMap(({ ip }) => asString(ip) ?? []);
  const wrong = shown.filter((ip) => ip !== address);
  if (endpoints === undefined || (wrong.length === 0 && (shown.length > 0 || leader === undefined)))
    return undefined;
  const led =
    wrong.length === 0 ? "holds no address" : `leads to ${wrong.map((ip) => whose(ip, cluster)).join(", ")}`;
  return {
    endpoints,
    evidence: `${led}; the leader is ${leader ?? "nobody"}${address ? ` (${address})` : ""}`,
  };
}

function whose(ip: string, { members }: AuditedCluster): string {
  const member = members.find(({ facts }) => facts.addresses.includes(ip));
  return member === undefined ? `${ip}, which is no member's` : `${ip} (${member.facts.name})`;
}

/** The Service as it stands, with the wish to put the Endpoints object aside. */
function takenOver(service: JsonObject): JsonObject {
  const written = plain(service);
  const metadata = asObject(written.metadata) ?? {};
  const annotations = { ...asObject(metadata.annotations), [TAKE_OVER_ANNOTATION]: "true" };
  return { ...written, metadata: { ...metadata, annotations } };
}

const published = forCluster(
  ["published-not-leader", "nothing-published"],
  (_cluster, context): Finding[] => {
    const slice = ourSlice(context.view());
    if (slice === undefined) return [];
    const leader = need(context.dcs.leader);
    if (leader === undefined) return [];
    const object = refTo(slice, "EndpointSlice");
    const shown = objectsIn(slice.endpoints).map((endpoint) => {
      const [address] = Array.isArray(endpoint.addresses) ? endpoint.addresses : [];
      return asString(at(endpoint, "targetRef", "name")) ?? String(address);
    });
    if (shown.length === 0)
      return [{ code: "nothing-published", object, field: "endpoints", evidence: `the leader is ${leader}` }];
    if (shown.length === 1 && shown[0] === leader) return [];
    const evidence = `${shown.join(", ")} is published; the leader is ${leader}`;
    return [{ code: "published-not-leader", object, field: "endpoints", evidence }];
  },
);

const loops = forCluster(["legacy-discovery-sidecar"], (cluster) =>
  podTemplates(cluster).flatMap(({ pod, object, path }): Finding[] => {
    const containers = objectsIn(at(pod, "spec", "containers"));
    const found = findPatroniContainer(containers);
    const name = legacyDiscoveryContainer(containers, found.kind === "found" ? found.index : -1);
    if (name === undefined) return [];
    return [
      {
        code: "legacy-discovery-sidecar",
        object,
        field: `${path}spec.containers`,
        evidence: `container ${name}`,
      },
    ];
  }),
);

/** What a member answers now counts; what it once wrote of itself only where it could not be asked. */
const primaries = forCluster(["two-primaries"], function* (cluster, { snapshot, dcs }): Seeing {
  const claiming: string[] = [];
  for (const { facts } of cluster.members) {
    const answers = snapshot.answers(cluster.namespace, facts.name);
    const answer = "value" in answers ? answers.value.patroni : undefined;
    const said = dcs.statement(facts.name);
    if (answer === undefined && "unseen" in said) {
      yield said;
      continue;
    }
    const claims =
      answer === undefined ? "value" in said && said.value.leads : isPrimaryRole(asString(answer.role));
    if (claims) claiming.push(facts.name);
  }
  if (claiming.length < 2) return;
  const first = cluster.members.find(({ facts }) => facts.name === claiming[0]);
  yield { code: "two-primaries", object: refTo(first?.pod ?? {}, "Pod"), evidence: claiming.join(" and ") };
});

export const PRIMARY: readonly Check[] = [occupied, published, loops, primaries];
