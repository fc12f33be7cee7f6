import { STATUS_ANNOTATION } from "../contract/annotations.ts";
import { clusterLabelValue } from "../contract/cluster-names.ts";
import { CLUSTER_LABEL } from "../contract/names.ts";
import { VERSION } from "../contract/version.ts";
import { sameJson } from "../json/same.ts";
import type { JsonObject } from "../json/value.ts";
import type { Note, Part } from "./decision.ts";
import { closeDraft, type Draft, NO_PATRONI, openDraft } from "./draft.ts";
import { legacyDiscoveryContainer } from "./legacy-discovery.ts";
import type { Member } from "./member.ts";
import { announcedAddresses } from "./mutations/announced.ts";
import { connectAddresses } from "./mutations/connect-addresses.ts";
import { mesh } from "./mutations/mesh.ts";
import { podDns } from "./mutations/pod-dns.ts";
import { sidecar } from "./mutations/sidecar.ts";
import { spiloToken } from "./mutations/spilo-token.ts";
import type { Pooler } from "./pooler.ts";
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
  const results: Record<Part, Result> = {
    "pod-dns": { applied: dns !== undefined, notes: dnsNotes },
    "connect-addresses": connectAddresses(draft, member, dns, settings),
    mesh: mesh(draft, member, settings, surroundings),
    sidecar: sidecar(draft, member, settings, surroundings),
    "spilo-token": spiloToken(draft, member),
  };
  const legacy = legacyDiscoveryContainer(draft.containers, draft.patroni);
  const planned = close(pod, draft, results, settings);
  if (legacy === undefined) return planned;
  return {
    ...planned,
    notes: [...planned.notes, { reason: "legacy-discovery-sidecar", detail: `container ${legacy}` }],
  };
}

/** The same for a pod with PgBouncer and no Patroni. It gets no label of the cluster's: the headless Service would take it for a member. */
export function planPooler(
  pod: JsonObject,
  pooler: Pooler,
  settings: InjectionSettings,
  surroundings: Surroundings,
): Plan {
  const draft = openDraft(pod, NO_PATRONI);
  const results = {
    mesh: mesh(draft, pooler, settings, surroundings),
    sidecar: sidecar(draft, pooler, settings, surroundings),
  };
  return close(pod, draft, results, settings);
}

interface Result {
  readonly applied: boolean;
  readonly notes: readonly Note[];
}

/** Says on the pod what was done to it. */
function close(
  pod: JsonObject,
  draft: Draft,
  results: Readonly<Partial<Record<Part, Result>>>,
  settings: InjectionSettings,
): Plan {
  const applied = (Object.keys(results) as Part[]).filter((part) => results[part]?.applied);
  const notes = Object.values(results).flatMap((result) => result.notes);
  const image = applied.includes("sidecar") ? { image: settings.sidecar.image } : {};
  draft.annotations[STATUS_ANNOTATION] = JSON.stringify({ version: VERSION, applied, ...image });
  const planned = closeDraft(pod, draft);
  return { reason: sameJson(pod, planned) ? "already-injected" : "injected", pod: planned, applied, notes };
}
