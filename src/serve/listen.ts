import { once } from "node:events";
import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";

/** Where to listen; port 0 takes any free one, no host is every address. */
export interface Endpoint {
  readonly host?: string | undefined;
  readonly port: number;
}

/**
 * Listens, and gives the address that was taken.
 *
 * @param key the part of the configuration that says where, for the error message
 */
export async function listen(
  server: Server | SecureServer,
  { host, port }: Endpoint,
  key: string,
): Promise<AddressInfo> {
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  try {
    await once(server, "listening");
  } catch (error) {
    const where = `${host ?? "every address"}, port ${port}`;
    throw new Error(`${key}: cannot listen on ${where}: ${(error as Error).message}`, { cause: error });
  }
  return server.address() as AddressInfo;
}
