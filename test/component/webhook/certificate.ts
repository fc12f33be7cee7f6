import { ephemeralCertificate } from "../../../src/certificates/ephemeral.ts";
import type { ServingCertificate } from "../../../src/certificates/source.ts";

/** A certificate for 127.0.0.1 under an authority of its own. */
export function loopbackCertificate(): Promise<ServingCertificate> {
  return ephemeralCertificate({
    dnsNames: [],
    ipAddresses: ["127.0.0.1"],
    logger: { info: () => undefined },
  });
}
