import { LIFETIMES, type Lifetimes } from "../../certificates/lifetimes.ts";
import { type AuthorityFacts, nextStep, type Span, type Why } from "../../certificates/rotation.ts";

/**
 * One set of authorities signs the certificates of many namespaces. It turns as the webhook's does (certificates/rotation.ts), but with
 * time in the place of what API servers were seen to trust: an authority is in every `ca.crt` for a day before it signs, so that whoever
 * keeps a copy has the time to take it over, and for as long as a certificate of its may be served afterwards.
 */
export const RELOAD_LIFETIMES: Lifetimes = { ...LIFETIMES, cachesMs: 24 * 3_600_000 };

/** An authority; lists of them are in the order in which they were made. */
export interface DatedAuthority extends Span {
  readonly id: string;
}

/** The certificate of a namespace, as its Secret has it. */
export interface DatedCertificate extends Span {
  /** Who signed it; it need not be among the authorities. */
  readonly issuer: string;
  readonly names: readonly string[];
  /** The authorities beside it, in `ca.crt`. */
  readonly trusted: readonly string[];
}

export type AuthorityPlan =
  /** The new one comes last. */
  | { readonly kind: "make"; readonly drop: readonly string[] }
  | { readonly kind: "retire"; readonly authorities: readonly string[] }
  | { readonly kind: "rest" };

export type CertificatePlan =
  | {
      readonly kind: "issue";
      readonly why: Why;
      readonly signer: string;
      readonly trusted: readonly string[];
    }
  /** The certificate stays, and others are to be trusted beside its authority. */
  | { readonly kind: "publish"; readonly trusted: readonly string[] }
  | { readonly kind: "rest" };

/** What is due with the authorities. @param now Unix time, milliseconds */
export function planAuthorities(
  authorities: readonly DatedAuthority[],
  now: number,
  lifetimes: Lifetimes,
): AuthorityPlan {
  const facts = rotation(authorities, now, lifetimes);
  const isRipe = ({ id }: DatedAuthority) => (facts.seenForMs(id) ?? 0) >= lifetimes.cachesMs;
  const signer = authorities.findLast(isRipe) ?? authorities.at(-1);
  // As a namespace sees it whose certificate was made just now.
  const leaf = signer && { issuer: signer.id, notBefore: now, notAfter: now + 1, coversNames: true };
  const step = nextStep({ ...facts, leaf, anySeen: true });
  switch (step.kind) {
    case "make-authority":
      return { kind: "make", drop: step.drop };
    case "retire":
      return step;
    default:
      return { kind: "rest" };
  }
}

/**
 * What is due with the certificate of a namespace.
 *
 * @param certificate undefined where there is none that could be served
 * @param names what it must be for: these, and no others
 * @param now Unix time, milliseconds
 */
export function planCertificate(
  authorities: readonly DatedAuthority[],
  certificate: DatedCertificate | undefined,
  names: readonly string[],
  now: number,
  lifetimes: Lifetimes,
): CertificatePlan {
  const leaf = certificate && { ...certificate, coversNames: isSame(certificate.names, names) };
  const isKnown = authorities.some(({ id }) => id === certificate?.issuer);
  const facts = rotation(authorities, now, lifetimes, certificate?.issuer);
  const step = nextStep({ ...facts, leaf, anySeen: isKnown });
  if (step.kind === "issue-leaf") {
    const { why, authority: signer } = step;
    return { kind: "issue", why, signer, trusted: trustedWith(authorities, signer) };
  }
  if (certificate === undefined || !isKnown) return { kind: "rest" };
  const trusted = trustedWith(authorities, certificate.issuer);
  return isSame(trusted, certificate.trusted) ? { kind: "rest" } : { kind: "publish", trusted };
}

/** All authorities that count; whoever signed comes first. */
const trustedWith = (authorities: readonly DatedAuthority[], signer: string): string[] => [
  signer,
  ...authorities.map(({ id }) => id).filter((id) => id !== signer),
];

/** @param signing it signs already: nobody has to be waited for */
function rotation(
  authorities: readonly DatedAuthority[],
  now: number,
  lifetimes: Lifetimes,
  signing?: string,
) {
  const { backdateMs, cachesMs, leafMs } = lifetimes;
  const seenForMs = (id: string): number | undefined => {
    if (id === signing) return Number.POSITIVE_INFINITY;
    const found = authorities.find((authority) => authority.id === id);
    return found && now - found.notBefore - backdateMs;
  };
  // The last certificate of an authority is made when the next one is ripe to sign.
  const facts = authorities.map((authority, index): AuthorityFacts => {
    const next = authorities[index + 1];
    const lastLeafUntil =
      next === undefined ? authority.notAfter : next.notBefore + backdateMs + cachesMs + leafMs;
    return { ...authority, lastLeafUntil };
  });
  return { authorities: facts, seenForMs, now, cachesMs };
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((each) => other.includes(each));
