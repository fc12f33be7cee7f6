import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Many connections that are held open and do as little as they are told to. */
export class Crowd {
  readonly #sockets = new Set<Socket>();
  readonly #port: number;
  opened = 0;

  constructor(port: number) {
    this.#port = port;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** Opens connections, so many at a time. @param first what each sends when it stands; over TCP nothing is sent */
  async join(kind: "tcp" | "tls", count: number, first = ""): Promise<void> {
    const AT_A_TIME = 50;
    for (let left = count; left > 0; left -= AT_A_TIME) {
      await Promise.all(Array.from({ length: Math.min(left, AT_A_TIME) }, () => this.#one(kind, first)));
    }
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #one(kind: "tcp" | "tls", first: string): Promise<void> {
    return new Promise((resolve) => {
      const where = { port: this.#port, host: "127.0.0.1" };
      const socket = kind === "tcp" ? connectTcp(where) : connectTls({ ...where, rejectUnauthorized: false });
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.resume();
      socket.once(kind === "tcp" ? "connect" : "secureConnect", () => {
        this.opened++;
        if (kind === "tls" && first !== "") socket.write(first);
        resolve();
      });
      socket.once("close", () => {
        this.#sockets.delete(socket);
        resolve();
      });
    });
  }
}
