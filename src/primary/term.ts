/**
 * The term of a primary: which cluster, and which timeline of it. A timeline is created per promotion, but two nodes CAN
 * hold the same number, so that a term only ever serves to refuse a lower one.
 */
export interface Term {
  /** PostgreSQL's system identifier; undefined where Patroni did not say it. */
  readonly system: string | undefined;
  readonly timeline: number;
}

/** The term of a slice that has seen one which nobody knows any more: none follows it without more ado. */
export const UNKNOWN_TERM = "unknown";

/** What a slice says of the primaries it has shown. */
export type SeenTerm = Term | typeof UNKNOWN_TERM;

/** `<system identifier>/<timeline>`, as it stands in the slice's annotation. */
export const formatTerm = (term: SeenTerm): string =>
  term === UNKNOWN_TERM ? term : `${term.system ?? ""}/${term.timeline}`;

/** Undefined where the text is no term. */
export function parseTerm(text: string | undefined): Term | undefined {
  const form = /^([0-9]{0,30})\/([0-9]{1,10})$/.exec(text ?? "");
  return form === null ? undefined : { system: form[1] || undefined, timeline: Number(form[2]) };
}

/** Undefined where nothing is said: a slice without a term accepts any. What cannot be read is not nothing. */
export const seenTerm = (text: string | undefined): SeenTerm | undefined =>
  text ? (parseTerm(text) ?? UNKNOWN_TERM) : undefined;

export const systemOf = (term: SeenTerm | undefined): string | undefined =>
  term === UNKNOWN_TERM ? undefined : term?.system;

/** The same term, for what stands in the slice. */
export const isSameTerm = (one: Term, other: SeenTerm | undefined): boolean =>
  other !== undefined && formatTerm(one) === formatTerm(other);

/**
 * True where `next` may follow `current` without more ado: the same cluster, and no lower timeline. An identifier that
 * one side does not know does not count against it.
 */
export function follows(next: Term, current: SeenTerm | undefined): boolean {
  if (current === undefined) return true;
  if (current === UNKNOWN_TERM) return false;
  const sameSystem =
    next.system === undefined || current.system === undefined || next.system === current.system;
  return sameSystem && next.timeline >= current.timeline;
}
