import { certificatesIn, idOf, pemOf } from "../../certificates/pem.ts";
import { namesOf, spanOf } from "../../certificates/rotation-facts.ts";
import type { KnownAuthority, Leaf } from "../../certificates/secrets.ts";
import type { DatedAuthority, DatedCertificate } from "./plan.ts";

/** What the plans need to know of authorities. */
export const datedAuthorities = (authorities: readonly KnownAuthority[]): DatedAuthority[] =>
  authorities.map(({ id, certPem }) => ({ ...spanOf(certPem), id }));

/** What they need to know of a certificate. */
export function datedCertificate({ certPem, caPem }: Leaf): DatedCertificate {
  const trusted = certificatesIn(caPem).map(idOf);
  const { dnsNames: names } = namesOf(certPem, { dnsNames: [], ipAddresses: [] });
  // A certificate counts only where the first of them has signed it.
  return { ...spanOf(certPem), issuer: trusted[0] ?? "", names, trusted };
}

/** The authorities of these ids, in their order. PEM. */
export const bundleOf = (authorities: readonly KnownAuthority[], ids: readonly string[]): string =>
  pemOf(
    ids.flatMap((wanted) =>
      authorities.flatMap(({ id, certPem }) => (id === wanted ? certificatesIn(certPem) : [])),
    ),
  );
