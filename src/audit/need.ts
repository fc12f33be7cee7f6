/** Either what was looked for, or why it could not be looked at. */
export type Seen<Value> = { readonly value: Value } | { readonly unseen: string };

/** Of what manifests cannot tell. */
export const ONLY_LIVE = { unseen: "only a running cluster shows it" } as const;

/** Something that had to be known could not be looked at. */
export class NotSeen extends Error {
  override readonly name = "NotSeen";
}

/** The value. Where it could not be looked at, the check ends there, and says so. */
export function need<Value>(seen: Seen<Value>): Value {
  if ("unseen" in seen) throw new NotSeen(seen.unseen);
  return seen.value;
}
