import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Random } from "../chaos/random.ts";

/** The first bytes that a TLS client sends. */
export async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connectTls({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" });
  client.on("error", () => undefined);
  const [socket] = await once(server, "connection");
  const [hello] = await once(socket, "data");
  client.destroy();
  server.close();
  return hello;
}

export function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)));
}

/** Some bytes changed, and perhaps cut off. */
export function mutated(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let count = random.below(8); count >= 0; count--) copy[random.below(copy.length)] = random.below(256);
  return random.below(2) === 0 ? copy : copy.subarray(0, random.below(copy.length));
}

/** Sends bytes over TCP, and goes away after at most that long: at times with a FIN, at times with a RST. */
export function throwAt(port: number, bytes: Buffer, leaveAfterMs: number, politely: boolean): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const timer = setTimeout(() => (politely ? socket.destroy() : socket.resetAndDestroy()), leaveAfterMs);
    socket.on("connect", () => void socket.write(bytes));
    socket.on("error", () => undefined);
    socket.resume();
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
