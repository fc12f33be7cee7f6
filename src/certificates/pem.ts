import { createPrivateKey, X509Certificate } from "node:crypto";

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, in its order; what is none is passed over. */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(BLOCK) ?? []).flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/** How many certificates a PEM text claims to hold. */
export const countIn = (pem: string): number => (pem.match(BLOCK) ?? []).length;

/** What is wrong with a leaf (the first certificate) and its key; undefined where they belong together. */
export function pairProblem(certPem: string, keyPem: string): string | undefined {
  const [leaf] = certificatesIn(certPem);
  if (leaf === undefined) return "there is no certificate in it";
  if (certificatesIn(certPem).length !== countIn(certPem)) return "a certificate in it cannot be read";
  try {
    return leaf.checkPrivateKey(createPrivateKey(keyPem)) ? undefined : "the key is for another certificate";
  } catch (error) {
    return `the key cannot be read: ${(error as Error).message}`;
  }
}

export const idOf = ({ fingerprint256 }: X509Certificate): string => fingerprint256;

export const pemOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map((certificate) => certificate.toString()).join("");
