/**
 * The term of a primary: which cluster, and which timeline of it. A timeline is created per promotion, but two nodes CAN
 * hold the same number, so that a term only ever serves to refuse a lower one.
 */
export interface Term {
  /** PostgreSQL's system identifier; undefined where Patroni did not say it. */
  readonly system: string | undefined;
  readonly timeline: number;
}

/** `<system identifier>/<timeline>`, as it stands in the slice's annotation. */
export const formatTerm = (term: Term): string => `${term.system ?? ""}/${term.timeline}`;

/** Undefined where the text is no term: a slice without one accepts any. */
export function parseTerm(text: string | undefined): Term | undefined {
  const form = /^([0-9]{0,30})\/([0-9]{1,10})$/.exec(text ?? "");
  return form === null ? undefined : { system: form[1] || undefined, timeline: Number(form[2]) };
}

/** The same term, for what stands in the slice. */
export const isSameTerm = (one: Term, other: Term | undefined): boolean =>
  other !== undefined && formatTerm(one) === formatTerm(other);

/**
 * True where `next` may follow `current` without more ado: the same cluster, and no lower timeline. An identifier that
 * one side does not know does not count against it.
 */
export function follows(next: Term, current: Term | undefined): boolean {
  if (current === undefined) return true;
  const sameSystem =
    next.system === undefined || current.system === undefined || next.system === current.system;
  return sameSystem && next.timeline >= current.timeline;
}
