import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A message of PostgreSQL's protocol 3.0: its type, its length without the type, its body. */
function message(type: string, body: Buffer | string = ""): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const AUTHENTICATED = message("R", int32(0));
const ASK_FOR_PASSWORD = message("R", int32(3));
const READY = message("Z", "I");
const SSL_REQUEST = 80877103;

/** As much of PgBouncer's console as RECONNECT needs, with a password in clear text. */
export class FakeConsole {
  readonly said: string[] = [];
  /** Logins that were refused. */
  refused = 0;
  password = "right";
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(t: TestContext): Promise<FakeConsole> {
    const console = new FakeConsole();
    console.#server.listen(0, "127.0.0.1");
    await once(console.#server, "listening");
    t.after(() => console.#stop());
    return console;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #stop(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket)).on("error", () => undefined);
    let isStarting = true;
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        // The first message has no type.
        const offset = isStarting ? 0 : 1;
        if (bytes.length < offset + 4) return;
        const end = offset + bytes.readInt32BE(offset);
        if (bytes.length < end) return;
        const [type, body] = [bytes.toString("latin1", 0, offset), bytes.subarray(offset + 4, end)];
        bytes = bytes.subarray(end);
        if (!isStarting) this.#answer(socket, type, body.toString().replace(/\0$/, ""));
        else if (body.readInt32BE(0) === SSL_REQUEST) socket.write("N");
        else {
          isStarting = false;
          socket.write(ASK_FOR_PASSWORD);
        }
      }
    });
  }

  #answer(socket: Socket, type: string, text: string): void {
    if (type === "X") socket.end();
    if (type === "p" && text === this.password) socket.write(Buffer.concat([AUTHENTICATED, READY]));
    else if (type === "p") {
      this.refused++;
      socket.end(message("E", "SFATAL\0C28P01\0Mpassword authentication failed\0\0"));
    }
    if (type !== "Q") return;
    this.said.push(text);
    socket.write(Buffer.concat([message("C", `${text}\0`), READY]));
  }
}
