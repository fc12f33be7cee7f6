import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 that was free a moment ago, for a program that cannot pick its own (the API server
 * refuses port 0). Another program may take it first: then that start fails, and wants a new port.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
