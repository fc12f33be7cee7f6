import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { pemOf } from "./pem.ts";

const HANDSHAKE_MS = 5000;

/** How a server is reached: at an address, or through a stream of bytes that is opened for it. */
export type Way = { readonly host: string; readonly port: number } | { open(): Promise<Duplex> };

/**
 * The chain that a server shows in the handshake, PEM: the leaf first. Nothing is verified, and no request is sent.
 *
 * @param serverName the DNS name or address that is called
 * @throws Error where there is no such server, or it shows none
 */
export async function shownChain(way: Way, serverName: string): Promise<string> {
  const signal = AbortSignal.timeout(HANDSHAKE_MS);
  try {
    const stream = "open" in way ? await opened(way.open(), signal) : undefined;
    try {
      return await handshake(stream ?? way, serverName, signal);
    } finally {
      stream?.destroy();
    }
  } catch (error) {
    const why = signal.aborted ? `no handshake within ${HANDSHAKE_MS} ms` : (error as Error).message;
    throw new Error(why, { cause: error });
  }
}

async function handshake(to: Duplex | Way, serverName: string, signal: AbortSignal): Promise<string> {
  const target = "host" in to ? { host: to.host, port: to.port } : { socket: to as Duplex };
  // An address is no server name (RFC 6066).
  const servername = isIP(serverName) === 0 ? serverName : "";
  const socket = connect({ ...target, servername, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect", { signal });
    const chain = chainOf(socket.getPeerCertificate(true));
    if (chain.length === 0) throw new Error("it shows no certificate");
    return pemOf(chain);
  } finally {
    socket.on("error", () => undefined).destroy();
  }
}

/** The stream; one that comes too late is closed. */
async function opened(opening: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  const late = once(signal, "abort").then(() => {
    throw new Error("nothing was opened in time");
  });
  try {
    return await Promise.race([opening, late]);
  } catch (error) {
    opening.then(
      (stream) => stream.destroy(),
      () => undefined,
    );
    throw error;
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
