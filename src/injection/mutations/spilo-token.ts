import { asObject } from "../../json/value.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { Member } from "../member.ts";

/** Spilo runs Patroni as postgres (101:103), with its supplementary groups dropped. */
const SPILO_GROUP = 103;

/** With any other fsGroup the kubelet makes the token 0640 root:fsGroup, which Spilo's Patroni cannot read. */
export function spiloToken(draft: Draft, member: Member): { applied: boolean; notes: Note[] } {
  const context = asObject(draft.spec.securityContext);
  const group = context?.fsGroup;
  const wantsFix = member.options["spilo-token"] === "fix";
  if (member.flavour !== "spilo" || group === undefined || group === null)
    return { applied: false, notes: [] };
  if (group === SPILO_GROUP) return { applied: wantsFix, notes: [] };
  if (!wantsFix)
    return {
      applied: false,
      notes: [{ reason: "spilo-token-unreadable", detail: `fsGroup is ${JSON.stringify(group)}` }],
    };
  draft.spec.securityContext = { ...context, fsGroup: SPILO_GROUP };
  return { applied: true, notes: [] };
}
