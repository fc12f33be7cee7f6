import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** The authority that signed the server's certificate, PEM. */
  readonly ca: string;
}

const HEAD_END = "\r\n\r\n";
const PATIENCE_MS = 10_000;

/** The request as the API server sends it, ready for the wire. */
export function requestBytes({ host, port, path }: Endpoint, body: Buffer): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    "User-Agent: kube-apiserver-admission",
    `Content-Length: ${body.length}`,
    "Accept: application/json, */*",
    "Content-Type: application/json",
    "Accept-Encoding: gzip",
  ];
  return Buffer.concat([Buffer.from(head.join("\r\n") + HEAD_END), body]);
}

/**
 * One keep-alive HTTPS connection that has one request under way at a time. It reads no more of an answer than its
 * status and its length, so that the client costs far less than any server that it measures.
 */
export class Connection {
  readonly #socket: TLSSocket;
  #head = "";
  /** Bytes of the body that are still to come; undefined while the head is being read. */
  #missing: number | undefined;
  #status = 0;
  #settle: PromiseWithResolvers<number> | undefined;
  #failure: Error | undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(PATIENCE_MS, () => this.#fail(new Error(`no answer within ${PATIENCE_MS} ms`)));
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the server closed the connection")));
  }

  static async open({ host, port, ca }: Endpoint): Promise<Connection> {
    const socket = connect({ host, port, ca });
    await once(socket, "secureConnect");
    return new Connection(socket);
  }

  /** Sends a request and resolves with the answer's status once its last byte is here. */
  exchange(request: Buffer): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#settle = Promise.withResolvers();
    this.#socket.write(request);
    return this.#settle.promise;
  }

  close(): void {
    this.#failure = new Error("closed");
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let body = chunk.length;
    if (this.#missing === undefined) {
      const seen = this.#head.length;
      this.#head += chunk.toString("latin1");
      const end = this.#head.indexOf(HEAD_END);
      if (end === -1) return;
      body = chunk.length - (end + HEAD_END.length - seen);
      const length = /\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1];
      if (length === undefined) {
        this.#fail(new Error("the answer has no Content-Length"));
        return;
      }
      this.#status = Number(this.#head.slice(9, 12));
      this.#missing = Number(length);
    }
    this.#missing -= body;
    if (this.#missing > 0) return;
    this.#head = "";
    this.#missing = undefined;
    this.#settle?.resolve(this.#status);
    this.#settle = undefined;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    this.#settle?.reject(this.#failure);
    this.#settle = undefined;
  }
}
