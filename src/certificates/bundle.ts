import { X509Certificate } from "node:crypto";

/** More authorities than processes ever serve side by side; without a bound every restart would leave one behind. */
const MOST_OTHERS = 10;

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Adds authorities to a bundle, beside those of other servers: of these only the newest are kept, and none that has
 * expired; what is no certificate is dropped. Where all that is there already, the bundle stays as it is, to the byte.
 *
 * @param bundle PEM; may be empty
 * @param own PEM
 */
export function addToBundle(bundle: string, own: string, now: Date): string {
  const owned = certificatesIn(own);
  const isOwn = ({ fingerprint256 }: X509Certificate) =>
    owned.some((certificate) => certificate.fingerprint256 === fingerprint256);
  const present = distinct(certificatesIn(bundle)).filter(
    (certificate) => isOwn(certificate) || certificate.validToDate > now,
  );
  const kept = new Set(newest(present.filter((certificate) => !isOwn(certificate))));
  const missing = owned.filter(
    ({ fingerprint256 }) => !present.some((certificate) => certificate.fingerprint256 === fingerprint256),
  );
  const result = [
    ...present.filter((certificate) => isOwn(certificate) || kept.has(certificate)),
    ...missing,
  ];
  const isSame = missing.length === 0 && result.length === (bundle.match(BLOCK) ?? []).length;
  return isSame ? bundle : result.map((certificate) => certificate.toString()).join("");
}

/** True where a bundle holds every one of these authorities. */
export function bundleHolds(bundle: string, own: string): boolean {
  const held = certificatesIn(bundle).map(({ fingerprint256 }) => fingerprint256);
  return certificatesIn(own).every(({ fingerprint256 }) => held.includes(fingerprint256));
}

function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(BLOCK) ?? []).flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

const distinct = (certificates: readonly X509Certificate[]): X509Certificate[] => [
  ...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values(),
];

const newest = (certificates: readonly X509Certificate[]): X509Certificate[] =>
  certificates
    .toSorted((one, other) => other.validFromDate.getTime() - one.validFromDate.getTime())
    .slice(0, MOST_OTHERS);
