import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { RestTarget } from "./rest.ts";

/**
 * The server's certificate must be for this name, whatever address is called. An address may stand in a certificate, but not in
 * TLS's server name (RFC 6066).
 */
export const verifiedAs = (name: string): RestTarget["tls"] => ({
  servername: isIP(name) === 0 ? name : "",
  checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
});

/** True where an error, by its code, came of the certificates or of the handshake: other certificates may do. */
export const isTlsError = (code: string | undefined): boolean =>
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO)/.test(code ?? "");
