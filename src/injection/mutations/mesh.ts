import { isIPv6 } from "node:net";
import { commaList } from "../../contract/syntax.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { databasePorts, excludedInboundPorts, type Recipient } from "../recipient.ts";
import type { InjectionSettings, Surroundings } from "../settings.ts";

const ISTIO = "traffic.sidecar.istio.io/";
const LINKERD = "config.linkerd.io/";

/** Renders the exclusions into its arguments when Istio's webhook runs; with the CNI they are read when the pod starts. */
const ISTIO_INIT = "istio-init";

/**
 * Keeps the mesh away from the database's ports and from the path to the API server; in a pooler only from the sidecar's own port
 * (the kubelet and monitoring come without the mesh's TLS) and that path. Lists are merged, never replaced: Istio itself may have
 * written into them already (its status port).
 */
export function mesh(
  draft: Draft,
  recipient: Recipient,
  settings: InjectionSettings,
  surroundings: Surroundings,
): { applied: boolean; notes: Note[] } {
  const { options, hostNetwork } = recipient;
  if (options.mesh === "off" || settings.meshes.length === 0) return { applied: false, notes: [] };
  if (hostNetwork) return { applied: false, notes: [{ reason: "mesh-host-network", detail: "" }] };

  const inbound = excludedInboundPorts(recipient, settings.sidecar.port).map(String);
  const outbound = [...new Set(databasePorts(recipient))].map(String);
  const ranges = [
    ...surroundings.apiServerAddresses.map((address) => `${address}/${isIPv6(address) ? 128 : 32}`),
    ...(recipient.role === "member" ? settings.excludeOutboundIPRanges : []),
    ...(options["exclude-outbound-ip-ranges"] ?? []),
  ];
  const notes: Note[] = [];
  if (settings.meshes.includes("istio")) {
    const before = isMeshed(draft) ? JSON.stringify(draft.annotations) : undefined;
    merge(draft, `${ISTIO}excludeInboundPorts`, inbound);
    merge(draft, `${ISTIO}excludeOutboundPorts`, outbound);
    merge(draft, `${ISTIO}excludeOutboundIPRanges`, ranges);
    takeOut(draft, `${ISTIO}includeInboundPorts`, inbound);
    if (before !== undefined && JSON.stringify(draft.annotations) !== before) {
      notes.push({ reason: "mesh-too-late", detail: "" });
    }
  }
  if (settings.meshes.includes("linkerd")) {
    merge(draft, `${LINKERD}skip-inbound-ports`, inbound);
    merge(draft, `${LINKERD}skip-outbound-ports`, outbound);
  }
  return { applied: true, notes };
}

function merge(draft: Draft, key: string, additions: readonly string[]): void {
  const present = commaList(draft.annotations[key] ?? "");
  const known = new Set(present);
  const missing = [...new Set(additions)].filter((entry) => !known.has(entry));
  if (missing.length > 0) draft.annotations[key] = [...present, ...missing].join(",");
}

/** An exclusion counts only where every port is included (`*`): from a list of ports ours are taken out. */
function takeOut(draft: Draft, key: string, ports: readonly string[]): void {
  const included = draft.annotations[key];
  if (included === undefined || included.trim() === "*") return;
  const present = commaList(included);
  const ours = new Set(ports);
  const rest = present.filter((entry) => !ours.has(entry));
  if (rest.length < present.length) draft.annotations[key] = rest.join(",");
}

function isMeshed(draft: Draft): boolean {
  return draft.initContainers.some(({ name }) => name === ISTIO_INIT);
}
