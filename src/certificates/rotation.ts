/** When a certificate is valid. Unix times in milliseconds. */
export interface Span {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityFacts extends Span {
  readonly id: string;
  /** When the last leaf that it signed expires; where nobody noted that, when it expires itself. */
  readonly lastLeafUntil: number;
}

export interface LeafFacts extends Span {
  /** Who signed it; it need not be among the authorities. */
  readonly issuer: string;
  /** It is for every name that we are called by. */
  readonly coversNames: boolean;
}

export interface RotationFacts {
  /** In the order in which they were made: the last one is to sign from now on. */
  readonly authorities: readonly AuthorityFacts[];
  /** The leaf that every replica is to serve. */
  readonly leaf: LeafFacts | undefined;
  /** For how long an authority has been in EVERY `caBundle` of the live configuration without a break; undefined: it is not. */
  seenForMs(id: string): number | undefined;
  /** Some authority is in every `caBundle`, known here or not: calls may be going well by it. */
  readonly anySeen: boolean;
  /** As the API server has it: it judges. */
  readonly now: number;
  /** See {@link Lifetimes.cachesMs}. */
  readonly cachesMs: number;
}

/** What is to be done next: each but the last is one write. */
export type Step =
  /** The new authority comes last. `drop`: there are too many by now, and these are given up. */
  | { readonly kind: "make-authority"; readonly why: Why; readonly drop: readonly string[] }
  | { readonly kind: "issue-leaf"; readonly why: Why; readonly authority: string }
  /** These sign nothing that is still valid: they leave every `caBundle`. */
  | { readonly kind: "retire"; readonly authorities: readonly string[] }
  /** `caBundle`: the newest authority is not in it yet; `caches`: it is, but not for long enough; `time`: nothing is due. */
  | { readonly kind: "wait"; readonly for: "caBundle" | "caches" | "time" };

export type Why = "absent" | "invalid-now" | "names" | "due" | "authority-replaced";

/** A clock that jumps to and fro makes authorities that nobody can tell to be over. */
const MOST_AUTHORITIES = 8;

/** What was made for a time is replaced after two thirds of it. */
export const renewAt = ({ notBefore, notAfter }: Span): number =>
  notBefore + ((notAfter - notBefore) * 2) / 3;

export const isValidAt = ({ notBefore, notAfter }: Span, now: number): boolean =>
  notBefore <= now && now < notAfter;

/**
 * The rotation as a state machine whose state is all outside of it, so that a crash between two steps loses nothing, and
 * several may turn it at once as long as a write fails where somebody wrote in between.
 *
 * In order: a new authority is made; it is put beside the old one into every `caBundle` (by whoever keeps the
 * configuration) and seen there; the caches of other API servers get their time; the next leaf is signed with it; the old
 * one is retired when its last leaf has expired. A leaf that no API server would accept is replaced without that wait.
 */
export function nextStep(facts: RotationFacts): Step {
  return authorityStep(facts) ?? leafStep(facts) ?? retirement(facts) ?? { kind: "wait", for: "time" };
}

function authorityStep({ authorities, leaf, now }: RotationFacts): Step | undefined {
  const newest = authorities.at(-1);
  const why =
    newest === undefined ? "absent" : !isValidAt(newest, now) ? "invalid-now" : overdue(newest, now);
  if (why === undefined) return undefined;
  const others = authorities.filter(({ id }) => id !== leaf?.issuer).map(({ id }) => id);
  const surplus = Math.max(0, authorities.length + 1 - MOST_AUTHORITIES);
  return { kind: "make-authority", why, drop: others.slice(0, surplus) };
}

function leafStep(facts: RotationFacts): Step | undefined {
  const { authorities, leaf, now, cachesMs } = facts;
  const newest = authorities.at(-1);
  const why = leafReason(facts);
  if (why === undefined || newest === undefined) return undefined;
  const ripe = signers(facts, cachesMs).at(-1);
  const signer = ripe ?? (isUseless(facts) ? (signers(facts, 0).at(-1) ?? newest) : undefined);
  const isWorthIt = why !== "authority-replaced" || signer?.id !== leaf?.issuer;
  if (signer !== undefined && isWorthIt) return { kind: "issue-leaf", why, authority: signer.id };
  if (leaf !== undefined && signer !== undefined && overdue(leaf, now) !== undefined) {
    return { kind: "issue-leaf", why: "due", authority: signer.id };
  }
  const seen = facts.seenForMs(newest.id) !== undefined;
  return retirement(facts) ?? { kind: "wait", for: seen ? "caches" : "caBundle" };
}

function leafReason({ authorities, leaf, now }: RotationFacts): Why | undefined {
  if (leaf === undefined) return "absent";
  if (!isValidAt(leaf, now)) return "invalid-now";
  if (!leaf.coversNames) return "names";
  return leaf.issuer === authorities.at(-1)?.id ? overdue(leaf, now) : "authority-replaced";
}

/** No API server accepts the leaf, so that nothing is lost by replacing it at once. One that is absent may be served yet. */
function isUseless({ leaf, now, anySeen }: RotationFacts): boolean {
  return leaf === undefined || isValidAt(leaf, now) ? !anySeen : true;
}

/** Who may sign: valid, seen for so long, and not older than the leaf's own. Oldest first. */
function signers({ authorities, leaf, seenForMs, now }: RotationFacts, seenMs: number): AuthorityFacts[] {
  const from = Math.max(
    0,
    authorities.findIndex(({ id }) => id === leaf?.issuer),
  );
  return authorities
    .slice(from)
    .filter((authority) => isValidAt(authority, now) && (seenForMs(authority.id) ?? -1) >= seenMs);
}

/** The caches' time on top: the clocks of other API servers may be behind. */
function retirement({ authorities, leaf, now, cachesMs }: RotationFacts): Step | undefined {
  const signing = authorities.findIndex(({ id }) => id === leaf?.issuer);
  const over = authorities
    .slice(0, Math.max(0, signing))
    .filter(({ lastLeafUntil, notAfter }) => Math.min(lastLeafUntil, notAfter) + cachesMs < now);
  return over.length === 0 ? undefined : { kind: "retire", authorities: over.map(({ id }) => id) };
}

const overdue = (span: Span, now: number): Why | undefined => (now >= renewAt(span) ? "due" : undefined);
