import { commaList } from "../../contract/syntax.ts";
import {
  peerAuthentication,
  peerAuthenticationFindings,
} from "../../controller/desired/peer-authentication.ts";
import { holds } from "../../controller/differs.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { findPatroniContainer } from "../../patroni/container.ts";
import { envEntry } from "../../patroni/env.ts";
import { type Check, forCluster, type Seeing } from "../check.ts";
import type { AuditedCluster } from "../clusters.ts";
import { isOn, setting } from "../dcs.ts";
import { type Finding, refTo } from "../finding.ts";
import { need } from "../need.ts";
import { selects } from "../network/selector.ts";
import { labelsOf, podTemplates } from "../templates.ts";

const PROXY = "istio-proxy";
const INCLUDE_INBOUND = "traffic.sidecar.istio.io/includeInboundPorts";
const EXCLUDE_INBOUND = "traffic.sidecar.istio.io/excludeInboundPorts";

/** Members with Istio's proxy in the pod: elsewhere nothing here matters. */
const meshed = ({ members }: AuditedCluster) =>
  members.filter(({ pod }) =>
    [...objectsIn(at(pod, "spec", "containers")), ...objectsIn(at(pod, "spec", "initContainers"))].some(
      ({ name }) => name === PROXY,
    ),
  );

/** Whether what comes in at a port passes the proxy by. That a pod includes the port by its list is another finding. */
function isExcluded(pod: JsonObject, port: number): boolean {
  const listed = (annotation: string): string[] =>
    commaList(asString(at(pod, "metadata", "annotations", annotation)) ?? "");
  const included = listed(INCLUDE_INBOUND);
  return (included.length > 0 && !included.includes("*")) || listed(EXCLUDE_INBOUND).includes(String(port));
}

/** Ports on which a policy has mTLS disabled. */
const disabledIn = (policy: JsonObject | undefined): number[] =>
  Object.entries(asObject(at(policy, "spec", "portLevelMtls")) ?? {}).flatMap(([port, mtls]) =>
    at(mtls, "mode") === "DISABLE" ? Number(port) : [],
  );

/** A member that lets the proxy have a port on which the policy has mTLS disabled. */
const unexcluded = (policy: JsonObject | undefined, cluster: AuditedCluster): Finding[] =>
  meshed(cluster).flatMap(({ pod, facts }): Finding[] => {
    const { postgresPort, patroniPort } = facts.settings;
    const ports = disabledIn(policy)
      .filter((port) => port === postgresPort || port === patroniPort)
      .filter((port) => !isExcluded(pod, port));
    if (ports.length === 0) return [];
    const evidence = `mTLS is disabled on ${ports.join(", ")}, and the pod does not exclude it`;
    const field = `metadata.annotations["${EXCLUDE_INBOUND}"]`;
    return [{ code: "peer-authentication-differs", object: refTo(pod, "Pod"), field, evidence }];
  });

/** Where nothing was injected, only what somebody has excluded on his own matters. */
const excludesAny = (cluster: AuditedCluster): boolean =>
  cluster.mode === "enabled" ||
  meshed(cluster).some(({ pod, facts }) =>
    facts.settings.excludedPorts.some((port) => isExcluded(pod, port)),
  );

const policies: Check = forCluster(
  ["peer-authentication-differs", "peer-authentication-conflict"],
  (cluster, context): Finding[] => {
    if (meshed(cluster).length === 0) return [];
    const live = need(context.snapshot.objects("PeerAuthentication", cluster.namespace));
    const view = { ...context.view(), peerAuthentications: live };
    const wanted = peerAuthentication(view);
    const conflicts = peerAuthenticationFindings(view).map(({ detail }): Finding => {
      const name = detail.split(" ").at(-1) ?? "";
      const object = { kind: "PeerAuthentication", namespace: cluster.namespace, name };
      return {
        code: "peer-authentication-conflict",
        object,
        field: "spec.selector",
        evidence: "it selects these pods",
      };
    });
    if (wanted === undefined || !excludesAny(cluster)) return conflicts;
    const found = live.find(({ metadata }) => at(metadata, "name") === wanted.name);
    if (found !== undefined && holds(found.spec, wanted.object.spec))
      return [...conflicts, ...unexcluded(found, cluster)];
    const object = { kind: "PeerAuthentication", namespace: cluster.namespace, name: wanted.name };
    const evidence =
      found === undefined ? "there is none for the excluded ports" : "it is not for the excluded ports";
    return [...conflicts, { code: "peer-authentication-differs", object, evidence, fix: [wanted.object] }];
  },
);

const included: Check = forCluster(["include-inbound-ports"], ({ members }) =>
  members.flatMap(({ pod, facts }): Finding[] => {
    const value = asString(at(pod, "metadata", "annotations", INCLUDE_INBOUND));
    if (value === undefined || value.trim() === "*") return [];
    const listed = commaList(value).filter((port) => facts.settings.excludedPorts.map(String).includes(port));
    if (listed.length === 0) return [];
    const field = `metadata.annotations["${INCLUDE_INBOUND}"]`;
    return [
      {
        code: "include-inbound-ports",
        object: refTo(pod, "Pod"),
        field,
        evidence: `it lists ${listed.join(", ")}`,
      },
    ];
  }),
);

/** `tcp`, `tcp-…`, or an `appProtocol` that says so. Istio takes other names for another protocol, or guesses. */
const portNames: Check = forCluster(["port-name"], (cluster, { snapshot }) => {
  if (meshed(cluster).length === 0) return [];
  const pods = podTemplates(cluster).map(({ pod }) => labelsOf(pod));
  const { postgresPort, primaryService } = cluster.settings;
  return need(snapshot.objects("Service", cluster.namespace))
    .filter((service) => {
      const matchLabels = asObject(at(service, "spec", "selector"));
      if (matchLabels === undefined) return at(service, "metadata", "name") === primaryService;
      return pods.some((labels) => selects({ matchLabels }, labels));
    })
    .flatMap((service): Finding[] => {
      const odd = objectsIn(at(service, "spec", "ports")).find(
        ({ port, targetPort, name, appProtocol }) =>
          (targetPort ?? port) === postgresPort &&
          appProtocol !== "tcp" &&
          !/^tcp(-|$)/.test(asString(name) ?? ""),
      );
      if (odd === undefined) return [];
      const object = refTo(service, "Service");
      const evidence = `port ${String(odd.port)} is named ${JSON.stringify(odd.name ?? "")}`;
      return [{ code: "port-name", object, field: "spec.ports[].name", evidence }];
    });
});

/** The ports are excluded from the mesh, so nobody but Patroni itself asks who calls. */
const restApi: Check = forCluster(["rest-api-open"], function* (cluster): Seeing {
  for (const { pod } of meshed(cluster)) {
    const containers = objectsIn(at(pod, "spec", "containers"));
    const found = findPatroniContainer(containers);
    const container = found.kind === "found" ? containers[found.index] : undefined;
    if (container === undefined) continue;
    const guarded = ["PATRONI_RESTAPI_USERNAME", "PATRONI_RESTAPI_VERIFY_CLIENT"].some(
      (name) => envEntry(container, name) !== undefined,
    );
    if (guarded) continue;
    if (isConfiguredElsewhere(container)) {
      yield { unseen: "Patroni's configuration is not in the pod's environment alone" };
      continue;
    }
    yield { code: "rest-api-open", object: refTo(pod, "Pod"), evidence: "no PATRONI_RESTAPI_USERNAME" };
    return;
  }
});

/** A whole configuration as text, a file, or variables from another object. */
const isConfiguredElsewhere = (container: JsonObject): boolean =>
  objectsIn(container.envFrom).length > 0 ||
  ["PATRONI_CONFIGURATION", "SPILO_CONFIGURATION"].some((name) => envEntry(container, name) !== undefined) ||
  [container.command, container.args].flat().some((word) => /\.ya?ml$/.test(String(word)));

const ssl: Check = forCluster(["postgres-plain"], (cluster, { dcs }) => {
  const [first] = meshed(cluster);
  if (first === undefined) return [];
  if (isOn(setting(dcs, "postgresql", "parameters", "ssl"))) return [];
  const evidence = "postgresql.parameters.ssl is not on in the dynamic configuration";
  return [{ code: "postgres-plain", object: refTo(first.pod, "Pod"), evidence }];
});

export const MESH: readonly Check[] = [policies, included, portNames, restApi, ssl];
