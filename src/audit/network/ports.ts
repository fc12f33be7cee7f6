import { objectsIn } from "../../json/value.ts";
import type { End, Flow } from "./flow.ts";

/**
 * Whether a rule's `ports` hold the port that a flow arrives at. An absent or empty list holds every port of every protocol. A name
 * is looked up among the container ports of the pod that is reached; an address outside has none.
 */
export function matchesPorts(ports: unknown, { to, port, protocol }: Omit<Flow, "from">): boolean {
  if (!Array.isArray(ports) || ports.length === 0) return true;
  return objectsIn(ports).some((entry) => {
    if ((entry.protocol ?? "TCP") !== protocol) return false;
    if (entry.port === undefined) return true;
    if (typeof entry.port === "string") return named(to, entry.port, protocol) === port;
    const last = typeof entry.endPort === "number" ? entry.endPort : entry.port;
    return typeof entry.port === "number" && typeof last === "number" && entry.port <= port && port <= last;
  });
}

function named(end: End, name: string, protocol: Flow["protocol"]): number | undefined {
  if (end.kind !== "pod") return undefined;
  return end.ports.find((entry) => entry.name === name && entry.protocol === protocol)?.port;
}
