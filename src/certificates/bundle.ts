import type { X509Certificate } from "node:crypto";
import { certificatesIn, countIn, idOf, pemOf } from "./pem.ts";

/** More authorities than processes ever serve side by side; without a bound every restart would leave one behind. */
const MOST_OTHERS = 10;

/**
 * Adds authorities to a bundle, beside those of other servers: of these only the newest are kept, and none that has
 * expired or was retired; what is no certificate is dropped. Where all that is there already, the bundle stays as it is, to
 * the byte. One that nobody here knows stays: it may be newer than what is known here.
 *
 * @param bundle PEM; may be empty
 * @param own PEM
 * @param retired PEM
 */
export function addToBundle(bundle: string, own: string, now: Date, retired = ""): string {
  const owned = certificatesIn(own);
  const [ours, over] = [owned, certificatesIn(retired)].map((list) => new Set(list.map(idOf)));
  const isOwn = (certificate: X509Certificate) => ours?.has(idOf(certificate)) === true;
  const isOver = (certificate: X509Certificate) =>
    over?.has(idOf(certificate)) === true || certificate.validToDate <= now;
  const present = distinct(certificatesIn(bundle)).filter(
    (certificate) => isOwn(certificate) || !isOver(certificate),
  );
  const kept = new Set(newest(present.filter((certificate) => !isOwn(certificate))));
  const there = new Set(present.map(idOf));
  const missing = owned.filter((certificate) => !there.has(idOf(certificate)));
  const result = [
    ...present.filter((certificate) => isOwn(certificate) || kept.has(certificate)),
    ...missing,
  ];
  const isSame = missing.length === 0 && result.length === countIn(bundle);
  return isSame ? bundle : pemOf(result);
}

/** True where a bundle holds every one of these authorities. */
export function bundleHolds(bundle: string, own: string): boolean {
  const held = new Set(certificatesIn(bundle).map(idOf));
  return certificatesIn(own).every((certificate) => held.has(idOf(certificate)));
}

const distinct = (certificates: readonly X509Certificate[]): X509Certificate[] => [
  ...new Map(certificates.map((certificate) => [idOf(certificate), certificate])).values(),
];

const newest = (certificates: readonly X509Certificate[]): X509Certificate[] =>
  certificates
    .toSorted((one, other) => other.validFromDate.getTime() - one.validFromDate.getTime())
    .slice(0, MOST_OTHERS);
