import { issueAuthority, issueLeaf, type Names } from "./issue.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

export interface SelfSignedOptions extends Names {
  readonly logger: { info(fields: object, message: string): void };
}

const AUTHORITY_NAME = "patroni-injector";
const VALID_DAYS = 365;

/**
 * An authority and a leaf of its own, made at start and kept in memory: for a single process. A restart makes new ones, and
 * whoever registers the webhook must hand out the new authority.
 */
export function selfSigned({ dnsNames, ipAddresses, logger }: SelfSignedOptions): CertificateSource {
  return {
    async start(): Promise<ServingCertificate> {
      const validity = { from: new Date(), days: VALID_DAYS };
      const authority = await issueAuthority(AUTHORITY_NAME, validity);
      const name = dnsNames[0] ?? ipAddresses[0] ?? AUTHORITY_NAME;
      const leaf = await issueLeaf(name, { dnsNames, ipAddresses }, validity, authority);
      logger.info({ dnsNames, ipAddresses, notAfter: leaf.notAfter }, "made a certificate");
      return {
        certPem: leaf.certPem,
        keyPem: leaf.keyPem,
        caPem: authority.certPem,
        notAfter: leaf.notAfter,
      };
    },
    onChange: () => undefined, // a certificate of this source never changes
    stop: () => Promise.resolve(),
  };
}
