import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Names } from "./issue.ts";
import type { Span } from "./rotation.ts";

/** When a certificate is valid. @param pem of which the first certificate counts */
export function spanOf(pem: string): Span {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}

export function coversAll(pem: string, { dnsNames, ipAddresses }: Names): boolean {
  const certificate = new X509Certificate(pem);
  return (
    dnsNames.every((name) => certificate.checkHost(name, { subject: "never" }) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}

/** The names in a certificate of ours, with these. */
export function namesOf(pem: string, also: Names): Names {
  const written = new X509Certificate(pem).subjectAltName ?? "";
  const values = written.split(", ").flatMap((entry) => {
    const [, value] = /^(?:DNS|IP Address):(.+)$/.exec(entry) ?? [];
    return value === undefined ? [] : [value];
  });
  const [ipAddresses, dnsNames] = [true, false].map((ip) =>
    values.filter((value) => (isIP(value) !== 0) === ip),
  );
  return {
    dnsNames: [...new Set([...(dnsNames ?? []), ...also.dnsNames])],
    ipAddresses: [...new Set([...(ipAddresses ?? []), ...also.ipAddresses])],
  };
}
