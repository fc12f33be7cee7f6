import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { pemOf } from "../certificates/pem.ts";

const HANDSHAKE_MS = 5000;

/**
 * The chain that a server shows in the handshake, PEM: the leaf first. Nothing is verified, and no request is sent.
 *
 * @throws Error where there is no such server, or it shows none
 */
export async function servedChain(host: string, port: number, servername: string): Promise<string> {
  const signal = AbortSignal.timeout(HANDSHAKE_MS);
  const socket = connect({ host, port, servername, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect", { signal });
    const chain = chainOf(socket.getPeerCertificate(true));
    if (chain.length === 0) throw new Error("it shows no certificate");
    return pemOf(chain);
  } catch (error) {
    const why = signal.aborted ? `no handshake within ${HANDSHAKE_MS} ms` : (error as Error).message;
    throw new Error(`the webhook at ${host}, port ${port}: ${why}`, { cause: error });
  } finally {
    socket.destroy();
  }
}

/** Node links each certificate with its issuer, and a root with itself. */
function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  for (
    let here: DetailedPeerCertificate | undefined = leaf;
    here?.raw !== undefined;
    here = here.issuerCertificate
  ) {
    if (seen.has(here.fingerprint256)) break;
    seen.add(here.fingerprint256);
    chain.push(new X509Certificate(here.raw));
  }
  return chain;
}
