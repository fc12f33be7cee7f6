import { issueAuthority, issueLeaf, type Names } from "./issue.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

export interface EphemeralOptions extends Names {
  readonly logger: { info(fields: object, message: string): void };
  /** From now on. */
  readonly validDays?: number;
}

const COMMON_NAME = "patroni-injector";

/** The keys live and die with the process, which is never to outlive its certificate: nothing renews it. */
const VALID_DAYS = 3650;

/** An authority and a leaf of its own, kept in memory: for a process that has no cluster to keep them in. */
export async function ephemeralCertificate(options: EphemeralOptions): Promise<ServingCertificate> {
  const { dnsNames, ipAddresses, logger, validDays = VALID_DAYS } = options;
  const validity = { from: new Date(), days: validDays };
  const authority = await issueAuthority(`${COMMON_NAME} CA`, validity);
  const leaf = await issueLeaf(COMMON_NAME, { dnsNames, ipAddresses }, validity, authority);
  const { certPem, keyPem, notAfter } = leaf;
  logger.info({ dnsNames, ipAddresses, notAfter }, "made a certificate for this process alone");
  return { certPem, keyPem, notAfter, caPem: authority.certPem };
}

/** Makes its certificate at the first look, and no other. */
export function ephemeralSource(
  options: EphemeralOptions & { onCertificate(certificate: ServingCertificate): void },
): CertificateSource {
  let made: Promise<void> | undefined;
  return {
    look() {
      made ??= ephemeralCertificate(options).then((certificate) => options.onCertificate(certificate));
      return made;
    },
    stop: () => undefined,
  };
}
