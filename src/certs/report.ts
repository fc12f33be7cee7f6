import { X509Certificate } from "node:crypto";
import { certificatesIn, idOf } from "../certificates/pem.ts";
import { renewAt } from "../certificates/rotation.ts";
import { spanOf } from "../certificates/rotation-facts.ts";
import type { AuthoritySecret, LeafSecret } from "../certificates/secrets.ts";
import type { Trustee } from "../certificates/served.ts";
import { refusal } from "../certificates/verify.ts";

/** What was seen. */
export interface Facts {
  readonly source: "self" | "cert-manager" | "provided";
  /** The chain as it is served, PEM. */
  readonly chainPem: string;
  /** The entries of the live webhook configuration. */
  readonly trustees: readonly Trustee[];
  /** With `self`: what the Secrets hold. */
  readonly kept: { readonly authorities: AuthoritySecret; readonly leaf: LeafSecret } | undefined;
  /** On the API server's clock. */
  readonly now: Date;
  readonly localNow: Date;
}

export interface Report {
  readonly trusted: boolean;
  readonly problems: readonly string[];
  readonly served: Described & { readonly names: readonly string[]; readonly issuer: string };
  readonly entries: readonly {
    readonly name: string;
    readonly serverName: string;
    readonly problem: string | null;
  }[];
  /** Who is in any `caBundle`. */
  readonly authorities: readonly (Described & {
    readonly inEveryBundle: boolean;
    readonly signedServed: boolean;
    /** Undefined: it is not one of ours. */
    readonly renewAt?: string;
  })[];
  readonly rotation: {
    readonly source: Facts["source"];
    /** With `self`; otherwise whoever makes the certificate knows. */
    readonly leafAt?: string;
    readonly authorityAt?: string;
    /** With `self`: the newest leaf that was made is the one that is served. */
    readonly upToDate?: boolean;
  };
  readonly clock: { readonly apiServer: string; readonly localAheadSeconds: number };
}

interface Described {
  readonly subject: string;
  readonly fingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export function reportOf({ source, chainPem, trustees, kept, now, localNow }: Facts): Report {
  const [leaf] = certificatesIn(chainPem);
  if (leaf === undefined) throw new Error("there is no certificate");
  const entries = trustees.map(({ entry, serverName, bundlePem }) => {
    return { name: entry, serverName, problem: refusal(chainPem, bundlePem, serverName, now) ?? null };
  });
  const refused = entries.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]));
  const problems = entries.length === 0 ? ["no webhook is configured"] : refused;
  return {
    trusted: problems.length === 0,
    problems,
    served: { ...described(leaf), names: namesIn(leaf), issuer: leaf.issuer },
    entries,
    authorities: authoritiesIn(trustees, leaf, kept?.authorities),
    rotation: { source, ...(kept === undefined ? {} : rotationOf(kept, leaf)) },
    clock: {
      apiServer: now.toISOString(),
      localAheadSeconds: Math.round((localNow.getTime() - now.getTime()) / 1000),
    },
  };
}

function authoritiesIn(
  trustees: readonly Trustee[],
  leaf: X509Certificate,
  kept: AuthoritySecret | undefined,
): Report["authorities"] {
  const bundles = trustees.map(({ bundlePem }) => certificatesIn(bundlePem));
  const all = new Map(bundles.flat().map((authority) => [idOf(authority), authority]));
  return [...all].map(([id, authority]) => {
    const own = kept?.authorities.find((one) => one.id === id);
    return {
      ...described(authority),
      inEveryBundle: bundles.every((bundle) => bundle.some((one) => idOf(one) === id)),
      signedServed: leaf.checkIssued(authority) && leaf.verify(authority.publicKey),
      ...(own === undefined ? {} : { renewAt: renewal(own.certPem) }),
    };
  });
}

function rotationOf({ authorities, leaf }: NonNullable<Facts["kept"]>, served: X509Certificate) {
  const newest = authorities.authorities.at(-1);
  return {
    ...(leaf.leaf === undefined ? {} : { leafAt: renewal(leaf.leaf.certPem) }),
    ...(newest === undefined ? {} : { authorityAt: renewal(newest.certPem) }),
    upToDate: leaf.leaf !== undefined && idOf(new X509Certificate(leaf.leaf.certPem)) === idOf(served),
  };
}

const renewal = (pem: string): string => new Date(renewAt(spanOf(pem))).toISOString();

const namesIn = ({ subjectAltName }: X509Certificate): string[] =>
  (subjectAltName ?? "").split(", ").filter((name) => name !== "");

const described = (certificate: X509Certificate): Described => ({
  subject: certificate.subject,
  fingerprint: idOf(certificate),
  notBefore: certificate.validFromDate.toISOString(),
  notAfter: certificate.validToDate.toISOString(),
});
