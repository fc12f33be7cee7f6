import { X509Certificate } from "node:crypto";
import { LIFETIMES, type Lifetimes } from "../../certificates/lifetimes.ts";
import { idOf } from "../../certificates/pem.ts";
import { type AuthorityFacts, type LeafFacts, nextStep, type Why } from "../../certificates/rotation.ts";
import { namesOf, spanOf } from "../../certificates/rotation-facts.ts";
import type { KnownAuthority, Leaf } from "../../certificates/secrets.ts";

/**
 * One set of authorities signs the certificates of many namespaces. It turns as the webhook's does (certificates/rotation.ts), but with
 * time in the place of what API servers were seen to trust: an authority is in every `ca.crt` for a day before it signs, so that whoever
 * keeps a copy has the time to take it over, and for as long as a certificate of its may be served afterwards.
 */
export const RELOAD_LIFETIMES: Lifetimes = { ...LIFETIMES, cachesMs: 24 * 3_600_000 };

export type AuthorityPlan =
  | { readonly kind: "make"; readonly drop: readonly string[] }
  | { readonly kind: "retire"; readonly authorities: readonly string[] }
  | { readonly kind: "rest" };

export type CertificatePlan =
  | { readonly kind: "issue"; readonly why: Why; readonly signer: KnownAuthority }
  /** The certificate stays, and others are to be trusted beside its authority. */
  | { readonly kind: "publish"; readonly caPem: string }
  | { readonly kind: "rest" };

/** What is due with the authorities. @param now Unix time, milliseconds */
export function planAuthorities(
  authorities: readonly KnownAuthority[],
  now: number,
  lifetimes: Lifetimes,
): AuthorityPlan {
  const facts = factsOf(authorities, lifetimes);
  const signer = facts.findLast(({ notBefore }) => isRipe(notBefore, now, lifetimes)) ?? facts.at(-1);
  // As a namespace sees it whose certificate was made just now.
  const leaf = signer && { issuer: signer.id, notBefore: now, notAfter: now + 1, coversNames: true };
  const step = nextStep({ ...rotation(facts, now, lifetimes), leaf, anySeen: true });
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
 * @param leaf undefined where there is none that could be served
 * @param names what it must be for: these, and no others
 * @param now Unix time, milliseconds
 */
export function planCertificate(
  authorities: readonly KnownAuthority[],
  leaf: Leaf | undefined,
  names: readonly string[],
  now: number,
  lifetimes: Lifetimes,
): CertificatePlan {
  const facts = leaf && leafFacts(leaf, names);
  const rotated = rotation(factsOf(authorities, lifetimes), now, lifetimes, facts?.issuer);
  const isKnown = authorities.some(({ id }) => id === facts?.issuer);
  const step = nextStep({ ...rotated, leaf: facts, anySeen: isKnown });
  if (step.kind === "issue-leaf") {
    const signer = authorities.find(({ id }) => id === step.authority);
    return signer === undefined ? { kind: "rest" } : { kind: "issue", why: step.why, signer };
  }
  const caPem = facts && bundle(authorities, facts.issuer);
  return leaf === undefined || caPem === undefined || caPem === leaf.caPem
    ? { kind: "rest" }
    : { kind: "publish", caPem };
}

/** All authorities that count, PEM: whoever signed comes first. Undefined where that is none of them. */
export function bundle(authorities: readonly KnownAuthority[], signer: string): string | undefined {
  const first = authorities.find(({ id }) => id === signer);
  if (first === undefined) return undefined;
  return [first, ...authorities.filter(({ id }) => id !== signer)].map(({ certPem }) => certPem).join("");
}

function leafFacts({ certPem, caPem }: Leaf, wanted: readonly string[]): LeafFacts {
  const { dnsNames } = namesOf(certPem, { dnsNames: [], ipAddresses: [] });
  return {
    ...spanOf(certPem),
    issuer: idOf(new X509Certificate(caPem)),
    coversNames: dnsNames.toSorted().join() === wanted.toSorted().join(),
  };
}

/** A certificate is signed by the newest that is ripe: the last one of an authority is made when the next becomes ripe. */
function factsOf(authorities: readonly KnownAuthority[], lifetimes: Lifetimes): AuthorityFacts[] {
  const { backdateMs, cachesMs, leafMs } = lifetimes;
  const spans = authorities.map(({ id, certPem }) => ({ id, ...spanOf(certPem) }));
  return spans.map((span, index) => {
    const next = spans[index + 1];
    const lastLeafUntil =
      next === undefined ? span.notAfter : next.notBefore + backdateMs + cachesMs + leafMs;
    return { ...span, lastLeafUntil };
  });
}

/** @param signing it signs already: nobody has to be waited for */
function rotation(
  authorities: readonly AuthorityFacts[],
  now: number,
  { backdateMs, cachesMs }: Lifetimes,
  signing?: string,
) {
  const seenForMs = (id: string): number | undefined => {
    if (id === signing) return Number.POSITIVE_INFINITY;
    const found = authorities.find((authority) => authority.id === id);
    return found && now - found.notBefore - backdateMs;
  };
  return { authorities, seenForMs, now, cachesMs };
}

const isRipe = (notBefore: number, now: number, { backdateMs, cachesMs }: Lifetimes): boolean =>
  now - notBefore - backdateMs >= cachesMs;
