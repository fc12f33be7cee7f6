import { generateKeyPair, randomBytes, sign } from "node:crypto";
import { promisify } from "node:util";
import forge from "node-forge";
import { LIFETIMES } from "./lifetimes.ts";

/** A certificate, and the private key that it is for. */
export interface Issued {
  readonly certPem: string;
  /** PKCS #8. */
  readonly keyPem: string;
  readonly notAfter: Date;
}

/** Who signs: a certificate authority and its key. */
export type Authority = Issued;

export interface Validity {
  /** The moment from which the validity is counted, normally now. */
  readonly from: Date;
  /** May be a fraction; certificates count in whole seconds. */
  readonly days: number;
  /** How long before that it is valid already. */
  readonly backdateMs?: number;
}

export interface Names {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const MS_PER_DAY = 24 * 3600 * 1000;

/** An RSA key: node-forge encodes no other kind. Made on libuv's threads, off the event loop. */
const KEY_BITS = 2048;

/** SubjectAltName types of RFC 5280. */
const DNS = 2;
const IP = 7;

const makeKeyPair = promisify(generateKeyPair);
const signAsync = promisify(sign);

/** A new certificate authority, which may sign leaves and nothing else. @param commonName at most 64 characters */
export function issueAuthority(commonName: string, validity: Validity): Promise<Authority> {
  return issue(commonName, validity, undefined, (subjectKey) => [
    { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    subjectKey,
  ]);
}

/**
 * A new leaf for TLS servers of these names, at least one. It never outlives its authority.
 *
 * @param commonName at most 64 characters; not among the names
 */
export function issueLeaf(
  commonName: string,
  names: Names,
  validity: Validity,
  authority: Authority,
): Promise<Issued> {
  const altNames = [
    ...names.dnsNames.map((value) => ({ type: DNS, value })),
    ...names.ipAddresses.map((ip) => ({ type: IP, ip })),
  ];
  return issue(commonName, validity, authority, (subjectKey, authorityKey) => [
    { name: "basicConstraints", cA: false, critical: true },
    { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
    { name: "extKeyUsage", serverAuth: true },
    { name: "subjectAltName", altNames },
    subjectKey,
    { name: "authorityKeyIdentifier", keyIdentifier: authorityKey },
  ]);
}

type Extensions = (subjectKey: object, authorityKey: string) => object[];

async function issue(
  commonName: string,
  validity: Validity,
  authority: Authority | undefined,
  extensions: Extensions,
): Promise<Issued> {
  const { publicKey, privateKey } = await makeKeyPair("rsa", {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const issuer = authority === undefined ? undefined : forge.pki.certificateFromPem(authority.certPem);
  const certificate = forge.pki.createCertificate();
  const subject = [{ name: "commonName", value: commonName }];
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = new Date(
    validity.from.getTime() - (validity.backdateMs ?? LIFETIMES.backdateMs),
  );
  certificate.validity.notAfter = earlier(
    new Date(validity.from.getTime() + validity.days * MS_PER_DAY),
    issuer?.validity.notAfter,
  );
  certificate.setSubject(subject);
  certificate.setIssuer(issuer?.subject.attributes ?? subject);
  const authorityKey = (issuer ?? certificate).generateSubjectKeyIdentifier().getBytes();
  certificate.setExtensions(extensions({ name: "subjectKeyIdentifier" }, authorityKey));
  await signOffLoop(certificate, authority?.keyPem ?? privateKey);
  return {
    certPem: forge.pki.certificateToPem(certificate).replaceAll("\r\n", "\n"),
    keyPem: privateKey,
    notAfter: certificate.validity.notAfter,
  };
}

/** As forge's own `sign`, but with the RSA operation (some 60 ms in JavaScript) on libuv's threads. */
async function signOffLoop(certificate: forge.pki.Certificate, keyPem: string): Promise<void> {
  const oid = forge.pki.oids.sha256WithRSAEncryption ?? "";
  certificate.signatureOid = certificate.siginfo.algorithmOid = oid;
  certificate.tbsCertificate = toBeSigned(certificate);
  const bytes = Buffer.from(forge.asn1.toDer(certificate.tbsCertificate).getBytes(), "binary");
  certificate.signature = (await signAsync("sha256", bytes, keyPem)).toString("binary");
}

/** 159 bits, the highest of them 1: positive, of 20 bytes (the most that RFC 5280 allows), and without a leading zero. */
function serialNumber(): string {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

const earlier = (one: Date, other: Date | undefined): Date =>
  other !== undefined && other < one ? other : one;

/** In forge's documentation, not in its types. */
const toBeSigned = (certificate: forge.pki.Certificate): forge.asn1.Asn1 =>
  (
    forge.pki as unknown as { getTBSCertificate(of: forge.pki.Certificate): forge.asn1.Asn1 }
  ).getTBSCertificate(certificate);
