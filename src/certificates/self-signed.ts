import { issueAuthority, issueLeaf, type Names } from "./issue.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

export interface SelfSignedOptions extends Names {
  readonly logger: { info(fields: object, message: string): void };
  /** From now on. */
  readonly validDays?: number;
}

const COMMON_NAME = "patroni-injector";

/** The keys live and die with the process, which is never to outlive its certificate: nothing renews it. */
const VALID_DAYS = 3650;

/**
 * An authority and a leaf of its own, made at start and kept in memory. A restart makes new ones, and every process has
 * others: whoever registers the webhook hands out each authority beside those of the others.
 */
export function selfSigned(options: SelfSignedOptions): CertificateSource {
  const { dnsNames, ipAddresses, logger, validDays = VALID_DAYS } = options;
  return {
    async start(): Promise<ServingCertificate> {
      const validity = { from: new Date(), days: validDays };
      const authority = await issueAuthority(`${COMMON_NAME} CA`, validity);
      const leaf = await issueLeaf(COMMON_NAME, { dnsNames, ipAddresses }, validity, authority);
      const { certPem, keyPem, notAfter } = leaf;
      logger.info({ dnsNames, ipAddresses, notAfter }, "made a certificate");
      return { certPem, keyPem, notAfter, caPem: authority.certPem };
    },
    onChange: () => undefined, // a certificate of this source never changes
    stop: () => Promise.resolve(),
  };
}
