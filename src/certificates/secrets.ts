import { X509Certificate } from "node:crypto";
import type { Authority } from "./issue.ts";
import { certificatesIn, idOf, pairProblem, pemOf } from "./pem.ts";

/** What a Secret holds, as text. */
export type SecretData = Readonly<Record<string, string>>;

export interface KnownAuthority extends Authority {
  readonly id: string;
  /** They are numbered in the order in which they were made, whatever a clock said. */
  readonly generation: number;
}

/** The Secret of the authorities: `ca-<generation>.crt` and `.key`, and `retired.crt`. */
export interface AuthoritySecret {
  /** In the order of their generations. One that cannot be read, or whose key is another's, is not there. */
  readonly authorities: readonly KnownAuthority[];
  /** PEM: what must leave every `caBundle`. Each is forgotten when it has expired by itself. */
  readonly retiredPem: string;
}

export interface Leaf {
  readonly certPem: string;
  readonly keyPem: string;
  /** Who signed it. */
  readonly caPem: string;
}

/** The Secret of the leaf: `tls.crt`, `tls.key`, `ca.crt`, and `issued`. */
export interface LeafSecret {
  /** Undefined where there is none that could be served. */
  readonly leaf: Leaf | undefined;
  /** For each authority (by its id) when the last leaf that it signed expires: Unix time, milliseconds. */
  readonly issued: Readonly<Record<string, number>>;
}

const RETIRED = "retired.crt";
const CERTIFICATE = /^ca-([1-9][0-9]{0,8})\.crt$/;

export function readAuthorities(data: SecretData): AuthoritySecret {
  const authorities = Object.keys(data)
    .flatMap((key) => {
      const generation = Number(CERTIFICATE.exec(key)?.[1]);
      return Number.isNaN(generation) ? [] : [{ generation, ...pairIn(data, `ca-${generation}`) }];
    })
    .filter(({ certPem, keyPem }) => pairProblem(certPem, keyPem) === undefined)
    .map(({ generation, certPem, keyPem }) => {
      const certificate = new X509Certificate(certPem);
      return { id: idOf(certificate), generation, certPem, keyPem, notAfter: certificate.validToDate };
    })
    .toSorted((one, other) => one.generation - other.generation);
  return { authorities, retiredPem: data[RETIRED] ?? "" };
}

export function writeAuthorities({ authorities, retiredPem }: AuthoritySecret): SecretData {
  const pairs = authorities.flatMap(({ generation, certPem, keyPem }) => [
    [`ca-${generation}.crt`, certPem],
    [`ca-${generation}.key`, keyPem],
  ]);
  return Object.fromEntries(retiredPem === "" ? pairs : [...pairs, [RETIRED, retiredPem]]);
}

/** The authorities with one more. @param dropped ids of those that are given up for it */
export function withAuthority(
  before: AuthoritySecret,
  made: Authority,
  dropped: readonly string[],
  now: Date,
): AuthoritySecret {
  const generation = (before.authorities.at(-1)?.generation ?? 0) + 1;
  const id = idOf(new X509Certificate(made.certPem));
  const { authorities, retiredPem } = withoutAuthorities(before, dropped, now);
  return { authorities: [...authorities, { ...made, id, generation }], retiredPem };
}

/** The authorities without these, which are noted as retired. */
export function withoutAuthorities(
  before: AuthoritySecret,
  ids: readonly string[],
  now: Date,
): AuthoritySecret {
  const [gone, authorities] = [true, false].map((out) =>
    before.authorities.filter(({ id }) => ids.includes(id) === out),
  );
  const retired = certificatesIn(
    [before.retiredPem, ...(gone ?? []).map(({ certPem }) => certPem)].join("\n"),
  );
  return {
    authorities: authorities ?? [],
    retiredPem: pemOf(retired.filter(({ validToDate }) => validToDate > now)),
  };
}

export function readLeaf(data: SecretData): LeafSecret {
  const { certPem, keyPem } = pairIn(data, "tls");
  const caPem = data["ca.crt"] ?? "";
  const isWhole = pairProblem(certPem, keyPem) === undefined && isSignedBy(certPem, caPem);
  return { leaf: isWhole ? { certPem, keyPem, caPem } : undefined, issued: timesIn(data.issued ?? "") };
}

export function writeLeaf({ leaf, issued }: { leaf: Leaf; issued: LeafSecret["issued"] }): SecretData {
  const times = Object.entries(issued).map(([id, time]) => [id, new Date(time).toISOString()]);
  return {
    "tls.crt": leaf.certPem,
    "tls.key": leaf.keyPem,
    "ca.crt": leaf.caPem,
    issued: JSON.stringify(Object.fromEntries(times)),
  };
}

function pairIn(data: SecretData, name: string): { certPem: string; keyPem: string } {
  return { certPem: data[`${name}.crt`] ?? "", keyPem: data[`${name}.key`] ?? "" };
}

function isSignedBy(certPem: string, caPem: string): boolean {
  const [leaf] = certificatesIn(certPem);
  const [authority] = certificatesIn(caPem);
  return (
    leaf !== undefined &&
    authority !== undefined &&
    leaf.checkIssued(authority) &&
    leaf.verify(authority.publicKey)
  );
}

/** What cannot be read was not noted: authorities then stay for as long as they are valid themselves. */
function timesIn(text: string): Record<string, number> {
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, string>);
    return Object.fromEntries(
      entries.map(([id, time]) => [id, Date.parse(time)]).filter(([, time]) => !Number.isNaN(time)),
    );
  } catch {
    return {};
  }
}
