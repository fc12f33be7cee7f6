import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import forge from "node-forge";
import type { Authority } from "../../src/certificates/issue.ts";

/** A client's certificate by an authority, as PEM. */
export async function issueClient(authority: Authority): Promise<{ cert: string; key: string }> {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const issuer = forge.pki.certificateFromPem(authority.certPem);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = "02";
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = issuer.validity.notAfter;
  certificate.setSubject([{ name: "commonName", value: "kube-apiserver" }]);
  certificate.setIssuer(issuer.subject.attributes);
  certificate.setExtensions([{ name: "extKeyUsage", clientAuth: true }]);
  const pkcs1 = createPrivateKey(authority.keyPem).export({ type: "pkcs1", format: "pem" }).toString();
  certificate.sign(forge.pki.privateKeyFromPem(pkcs1), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: privateKey };
}
