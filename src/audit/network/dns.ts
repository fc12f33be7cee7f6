import { isIP } from "node:net";
import { asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { NotSeen } from "../need.ts";
import type { Snapshot } from "../snapshot.ts";
import { type Backend, backendsOf } from "./ends.ts";

/** Where clusters have their DNS: in Kubernetes' own place (distributions name the Service as they like, and keep its label), and OpenShift. */
const HOMES = [
  { namespace: "kube-system", service: "kube-dns" },
  { namespace: "openshift-dns", service: "dns-default" },
] as const;

const LABEL = { key: "k8s-app", value: "kube-dns" } as const;

export const DNS_NAMESPACES: readonly string[] = HOMES.map(({ namespace }) => namespace);

/**
 * Who answers DNS, behind the Service: the first place that has anyone. Servers tell of metrics there too, which is no DNS.
 *
 * @throws NotSeen where nobody is found: every cluster has someone
 */
export function dnsBackends(snapshot: Snapshot): Backend[] {
  const hidden: string[] = [];
  for (const { namespace, service } of HOMES) {
    const slices = snapshot.objects("EndpointSlice", namespace);
    if ("unseen" in slices) {
      hidden.push(slices.unseen);
      continue;
    }
    const named = backendsOf(slices.value, namespace, service);
    // Slices carry the labels of their Service (kubernetes, endpointslice controller).
    const labelled = slices.value.filter(
      (slice) => at(slice, "metadata", "labels", LABEL.key) === LABEL.value,
    );
    const found = [named, ...labelled.map((slice) => backendsOf([slice], namespace))].find(
      (backends) => backends.length > 0,
    );
    if (found !== undefined) return found.filter(isDns);
  }
  const places = HOMES.map(({ namespace, service }) => `${namespace}/${service}`).join(" nor ");
  throw new NotSeen(hidden[0] ?? `neither Service ${places} has an address`);
}

const isDns = ({ port, portName }: Backend): boolean =>
  port === 53 || port === 5353 || portName.startsWith("dns");

/** The upstream DaemonSet's label; its pods have the host's network and listen on an address that every node has. */
const CACHE = { namespace: "kube-system", label: "node-local-dns", address: "169.254.20.10" } as const;

/** The address of the DNS cache on each node (NodeLocal DNSCache); undefined where there is none, and where it cannot be seen. */
export function nodeCache(snapshot: Snapshot): string | undefined {
  const pods = snapshot.objects("Pod", CACHE.namespace);
  const cache = ("value" in pods ? pods.value : []).find(
    (pod) =>
      at(pod, "metadata", "labels", LABEL.key) === CACHE.label && at(pod, "spec", "hostNetwork") === true,
  );
  return cache && (localAddress(cache) ?? CACHE.address);
}

/** `-localip 169.254.20.10,10.96.0.10`: its own comes first. */
function localAddress(pod: JsonObject): string | undefined {
  const words = objectsIn(at(pod, "spec", "containers"))
    .flatMap(({ command, args }) => [command, args].flat())
    .flatMap((word) => (asString(word) ?? "").split("="));
  const value = words[words.findIndex((word) => /^--?localip$/.test(word)) + 1];
  const [first = ""] = (value ?? "").split(",");
  return isIP(first) === 0 ? undefined : first;
}
