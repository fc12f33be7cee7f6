import { STATUS_ANNOTATION } from "../contract/annotations.ts";
import { clusterLabelValue } from "../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../contract/names.ts";
import { VERSION } from "../contract/version.ts";
import { sameJson } from "../json/same.ts";
import type { JsonObject } from "../json/value.ts";
import type { Note, Part } from "./decision.ts";
import { closeDraft, openDraft } from "./draft.ts";
import { legacyDiscoveryContainer } from "./legacy-discovery.ts";
import type { Member } from "./member.ts";
import { announcedAddresses } from "./mutations/announced.ts";
import { connectAddresses } from "./mutations/connect-addresses.ts";
import { mesh } from "./mutations/mesh.ts";
import { podDns } from "./mutations/pod-dns.ts";
import { sidecar } from "./mutations/sidecar.ts";
import { spiloToken } from "./mutations/spilo-token.ts";
import type { InjectionSettings, Surroundings } from "./settings.ts";

export interface Plan {
  readonly reason: "injected" | "already-injected";
  readonly pod: JsonObject;
  readonly applied: readonly Part[];
  readonly notes: readonly Note[];
}

/**
 * Runs the mutations in their order on a copy of the pod. Every one runs every time, whatever the status annotation
 * says: a reinvocation must repair what another webhook did, and a copied status must not switch anything off.
 */
export function plan(
  pod: JsonObject,
  patroni: number,
  member: Member,
  settings: InjectionSettings,
  surroundings: Surroundings,
): Plan {
  const draft = openDraft(pod, patroni);
  draft.labels[CLUSTER_LABEL] = clusterLabelValue(member.scope);

  const { dns, notes: dnsNotes } = podDns(draft, member, announcedAddresses(draft, member), surroundings);
  const results: Record<Part, { applied: boolean; notes: Note[] }> = {
    "pod-dns": { applied: dns !== undefined, notes: dnsNotes },
    "connect-addresses": connectAddresses(draft, member, dns, settings),
    mesh: mesh(draft, member, settings, surroundings),
    sidecar: sidecar(draft, member, settings, surroundings),
    "spilo-token": spiloToken(draft, member),
  };
  const applied = (Object.keys(results) as Part[]).filter((part) => results[part].applied);
  const notes = Object.values(results).flatMap((result) => result.notes);
  const legacy = legacyDiscoveryContainer(draft.containers, draft.patroni);
  if (legacy !== undefined) notes.push({ reason: "legacy-discovery-sidecar", detail: `container ${legacy}` });

  const image = applied.includes("sidecar") ? { image: settings.sidecar.image } : {};
  draft.annotations[STATUS_ANNOTATION] = JSON.stringify({ version: VERSION, applied, ...image });
  const planned = closeDraft(pod, draft);
  return { reason: sameJson(pod, planned) ? "already-injected" : "injected", pod: planned, applied, notes };
}
