import type { SecureContextOptions } from "node:tls";
import type { ServingCertificate } from "../certificates/source.ts";

/**
 * What connections are held to: TLS 1.3, or 1.2 with forward secrecy and authenticated encryption only. Every API server
 * that can be met (Go 1.12 and newer) speaks both.
 */
const POLICY: SecureContextOptions = {
  minVersion: "TLSv1.2",
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
  ].join(":"),
};

/** @param clientCaPem whose client certificates are accepted, where the server asks for one */
export const secureContext = (
  certificate: ServingCertificate | undefined,
  clientCaPem: string | undefined,
): SecureContextOptions => ({
  ...POLICY,
  ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
  ...(clientCaPem === undefined ? {} : { ca: clientCaPem }),
});
