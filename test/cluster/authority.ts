import { generateKeyPair, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { promisify } from "node:util";
import forge from "node-forge";

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A throw-away certificate authority of one run. */
export interface Authority {
  readonly certPem: string;
  /** For a TLS server under these DNS names or IP addresses. */
  issueServer(hosts: readonly [string, ...string[]]): Promise<KeyedCertificate>;
  /** For a user of the API server, who reads the name from CN and the groups from O. */
  issueClient(user: string, groups?: readonly string[]): Promise<KeyedCertificate>;
}

export interface KeyPair {
  readonly publicPem: string;
  readonly privatePem: string;
}

const HOUR_MS = 3_600_000;
const LIFETIME_MS = 365 * 24 * HOUR_MS;
const SAN_DNS = 2;
const SAN_IP = 7;

/** RSA because node-forge knows no other; the key is made off the event loop. */
export async function newKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return { publicPem: publicKey, privatePem: privateKey };
}

export async function newAuthority(commonName: string): Promise<Authority> {
  const keys = await newKeyPair();
  const subject = subjectOf(commonName, []);
  const extensions = [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, critical: true },
  ];
  const sign = (to: KeyPair, name: forge.pki.CertificateField[], what: object[]) =>
    certificate({
      subject: name,
      issuer: subject,
      publicPem: to.publicPem,
      signWith: keys.privatePem,
      extensions: what,
    });
  const issue = async (name: forge.pki.CertificateField[], extra: object[]) => {
    const leaf = await newKeyPair();
    const usage = { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true };
    return { certPem: sign(leaf, name, [usage, ...extra]), keyPem: leaf.privatePem };
  };

  return {
    certPem: sign(keys, subject, extensions),
    issueServer: ([first, ...rest]) =>
      issue(subjectOf(first, []), [
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: [first, ...rest].map(altName) },
      ]),
    issueClient: (user, groups = []) =>
      issue(subjectOf(user, groups), [{ name: "extKeyUsage", clientAuth: true }]),
  };
}

interface CertificateSpec {
  readonly subject: forge.pki.CertificateField[];
  readonly issuer: forge.pki.CertificateField[];
  readonly publicPem: string;
  readonly signWith: string;
  readonly extensions: object[];
}

function certificate(spec: CertificateSpec): string {
  const cert = forge.pki.createCertificate();
  cert.serialNumber = `01${randomBytes(15).toString("hex")}`; // leading 01: positive
  cert.validity.notBefore = new Date(Date.now() - HOUR_MS);
  cert.validity.notAfter = new Date(Date.now() + LIFETIME_MS);
  cert.publicKey = forge.pki.publicKeyFromPem(spec.publicPem);
  cert.setSubject(spec.subject);
  cert.setIssuer(spec.issuer);
  cert.setExtensions(spec.extensions);
  cert.sign(forge.pki.privateKeyFromPem(spec.signWith), forge.md.sha256.create());
  return forge.pki.certificateToPem(cert);
}

function subjectOf(commonName: string, organizations: readonly string[]): forge.pki.CertificateField[] {
  const groups = organizations.map((value) => ({ name: "organizationName", value }));
  return [...groups, { name: "commonName", value: commonName }];
}

function altName(host: string): object {
  return isIP(host) === 0 ? { type: SAN_DNS, value: host } : { type: SAN_IP, ip: host };
}
