import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../../contract/names.ts";
import { serviceFacts } from "../../injection/settings.ts";
import type { JsonObject } from "../../json/value.ts";
import { nameOf } from "../facts/slim.ts";
import { allSettings, type ClusterView, distinct, type Finding } from "../view.ts";
import { type Desired, desired, isOurs } from "./object.ts";

/**
 * The headless Service of the members' DNS names. It publishes members that are not ready, for a replica must find the leader
 * before it is ready. It selects by the label that injection puts on each pod: a scope label alone also matches poolers. Its
 * ports are those that the mesh leaves alone: a port's policy counts only for ports of a Service.
 *
 * A Service of that name which somebody else made is used as it is.
 */
export function headlessService(view: ClusterView): Desired | undefined {
  const { headlessService: live, settings } = view;
  if (live !== undefined && !isOurs(live)) return undefined;
  return desired("services", view, settings.headlessService, {
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: { [CLUSTER_LABEL]: clusterLabelValue(view.scope) },
      ports: portsOf(view),
    },
  });
}

/** What is wrong with a headless Service that somebody else made. */
export function headlessFindings({ headlessService: live, members }: ClusterView): Finding[] {
  if (live === undefined || isOurs(live)) return [];
  const { headless, publishNotReadyAddresses, selector } = serviceFacts(live);
  const odd = members.find(({ labels }) =>
    Object.entries(selector).some(([key, value]) => labels[key] !== value),
  );
  const problem = !headless
    ? "has a ClusterIP"
    : !publishNotReadyAddresses
      ? "does not publish not-ready addresses"
      : odd && `does not select ${odd.name}`;
  return problem === undefined
    ? []
    : [{ reason: "headless-unfit", detail: `Service ${nameOf(live)} ${problem}` }];
}

function portsOf(view: ClusterView): JsonObject[] {
  const all = allSettings(view);
  const { postgresPort, patroniPort } = view.settings;
  const named: readonly (readonly [string, number])[] = [
    ["tcp-postgres", postgresPort],
    ["patroni", patroniPort],
    ["injector", view.sidecarPort],
  ];
  const others = distinct(all.flatMap(({ excludedPorts }) => excludedPorts))
    .filter((port) => !named.some(([, known]) => known === port))
    .map((port) => [`excluded-${port}`, port] as const);
  return [...named, ...others].map(([name, port]) => ({ name, port, targetPort: port, protocol: "TCP" }));
}
