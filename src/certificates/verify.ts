import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { certificatesIn, idOf } from "./pem.ts";

/** Extended key usages (RFC 5280, 4.2.1.12). */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_USAGE = "2.5.29.37.0";

const LONGEST_CHAIN = 8;

/**
 * Why an API server would refuse a certificate; undefined where it would accept it. As Go's crypto/x509 judges: the name
 * must be among the alternative names (the common name does not count), every certificate of the chain must be valid now,
 * the anchor too, and an anchor need not have signed itself.
 *
 * @param chainPem the leaf, then intermediates in any order
 * @param bundlePem the anchors
 * @param name the DNS name or IP address that is called
 */
export function refusal(chainPem: string, bundlePem: string, name: string, now: Date): string | undefined {
  const [leaf, ...intermediates] = certificatesIn(chainPem);
  if (leaf === undefined) return "there is no certificate";
  const invalid = invalidity(leaf, now);
  if (invalid !== undefined) return `the certificate ${invalid}`;
  if (!isFor(leaf, name)) return `the certificate is not for ${name}`;
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.some((oid) => oid === SERVER_AUTH || oid === ANY_USAGE)) {
    return "the certificate is not for TLS servers";
  }
  const anchors = certificatesIn(bundlePem);
  if (anchors.length === 0) return "the caBundle is empty";
  const reached = reach(leaf, intermediates, anchors, now, LONGEST_CHAIN);
  return reached ? undefined : "no authority in the caBundle has signed it and is valid now";
}

function isFor(leaf: X509Certificate, name: string): boolean {
  const matched = isIP(name) === 0 ? leaf.checkHost(name, { subject: "never" }) : leaf.checkIP(name);
  return matched !== undefined;
}

/** Whether a chain of valid certificates leads from this one to an anchor. */
function reach(
  certificate: X509Certificate,
  intermediates: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  now: Date,
  left: number,
): boolean {
  if (anchors.some((anchor) => idOf(anchor) === idOf(certificate))) return true;
  const signed = (issuer: X509Certificate) => hasSigned(issuer, certificate, now);
  if (anchors.some(signed)) return true;
  return (
    left > 0 &&
    intermediates.filter(signed).some((next) => reach(next, intermediates, anchors, now, left - 1))
  );
}

function hasSigned(issuer: X509Certificate, certificate: X509Certificate, now: Date): boolean {
  return (
    issuer.ca &&
    invalidity(issuer, now) === undefined &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  );
}

function invalidity({ validFromDate, validToDate }: X509Certificate, now: Date): string | undefined {
  if (now < validFromDate) return `is not valid before ${validFromDate.toISOString()}`;
  return now > validToDate ? `expired at ${validToDate.toISOString()}` : undefined;
}
