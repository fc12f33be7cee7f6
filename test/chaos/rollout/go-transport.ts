import { setTimeout as delay } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";

export interface GoTransportOptions {
  readonly host: string;
  readonly port: number;
  /** The authority that is trusted, PEM; absent: whoever answers. */
  readonly ca?: string;
  /** How long a call may take, tries and pauses included. */
  readonly timeoutMs: number;
}

export interface Outcome {
  readonly status: number;
  readonly body: string;
  /** Tries after a 429. */
  readonly retries: number;
}

/** As client-go sets it for webhooks. */
const MOST_IDLE = 25;
const IDLE_MS = 90_000;
const MOST_RETRIES = 10;

/** What is known of an answer so far. */
interface Exchange {
  received: Buffer;
  readonly settle: PromiseWithResolvers<{ status: number; head: string; body: string }>;
}

/** One connection. Reads while it is idle, as Go does, so that it learns that the server closed it. */
class Connection {
  readonly #socket: TLSSocket;
  #exchange: Exchange | undefined;
  idleSince = 0;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("closed by the server")));
    socket.on("end", () => this.#fail(new Error("closed by the server")));
  }

  get isOpen(): boolean {
    return this.#socket.writable && !this.#socket.readableEnded;
  }

  exchange(request: Buffer): Promise<{ status: number; head: string; body: string }> {
    const settle = Promise.withResolvers<{ status: number; head: string; body: string }>();
    this.#exchange = { received: Buffer.alloc(0), settle };
    this.#socket.write(request);
    return settle.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.close(); // bytes that nobody asked for
      return;
    }
    exchange.received = Buffer.concat([exchange.received, chunk]);
    const end = exchange.received.indexOf("\r\n\r\n");
    if (end === -1) return;
    const head = exchange.received.subarray(0, end).toString("latin1");
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (exchange.received.length < end + 4 + length) return;
    this.#exchange = undefined;
    const body = exchange.received.subarray(end + 4).toString();
    exchange.settle.resolve({ status: Number(head.slice(9, 12)), head, body });
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#socket.destroy();
    const when = exchange?.received.length === 0 ? "before any byte of the answer" : "inside the answer";
    exchange?.settle.reject(new Error(`${error.message} ${when}`));
  }
}

/**
 * Calls a webhook as an API server does: with Go's `http.Transport` and client-go's retries (net/http transport.go, client-go
 * rest/with_retry.go). The connection that was used last is used first; a call that finds none opens one, and takes another that
 * becomes free in the meantime, in which case the new one is kept unused. A call of which anything was written is never sent again, for
 * a POST may not be repeated; only a connection known to be closed is passed over. 429 with Retry-After is tried again.
 */
export class GoTransport {
  readonly #options: GoTransportOptions;
  readonly #idle: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #all = new Set<Connection>();
  opened = 0;

  constructor(options: GoTransportOptions) {
    this.#options = options;
  }

  /** Rejects where the API server's call would fail. */
  async call(path: string, body: string): Promise<Outcome> {
    const { timeoutMs } = this.#options;
    const ended = new AbortController();
    const tooLate = delay(timeoutMs, undefined, { signal: ended.signal }).then(() => {
      throw new Error(`no answer in ${timeoutMs} ms`);
    });
    tooLate.catch(() => undefined);
    try {
      const tries = this.#tries(path, body, ended.signal);
      tries.catch(() => undefined);
      return await Promise.race([tries, tooLate]);
    } finally {
      ended.abort();
    }
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  async #tries(path: string, body: string, ended: AbortSignal): Promise<Outcome> {
    for (let retries = 0; ; retries++) {
      const { status, head, body: answer } = await this.#once(path, body, ended);
      const after = /^retry-after: *(\d+)/im.exec(head)?.[1];
      const mayRetry = (status === 429 || status >= 500) && after !== undefined && retries < MOST_RETRIES;
      if (!mayRetry) return { status, body: answer, retries };
      await delay(Number(after) * 1000, undefined, { signal: ended });
    }
  }

  /** A call that ends early takes its connection with it. */
  async #once(path: string, body: string, ended: AbortSignal) {
    const connection = await this.#connection();
    const giveUp = () => connection.close();
    if (ended.aborted) giveUp();
    ended.addEventListener("abort", giveUp);
    const answer = await connection.exchange(this.#request(path, body));
    ended.removeEventListener("abort", giveUp);
    if (/^connection: *close/im.test(answer.head)) connection.close();
    else this.#free(connection);
    return answer;
  }

  #request(path: string, body: string): Buffer {
    const { host, port } = this.#options;
    const bytes = Buffer.from(body);
    const head = [
      `POST ${path}?timeout=${this.#options.timeoutMs / 1000}s HTTP/1.1`,
      `Host: ${host}:${port}`,
      "User-Agent: kube-apiserver-admission",
      `Content-Length: ${bytes.length}`,
      "Accept: application/json, */*",
      "Content-Type: application/json",
      "Accept-Encoding: gzip",
    ];
    return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), bytes]);
  }

  #connection(): Promise<Connection> {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.isOpen && performance.now() - last.idleSince < IDLE_MS) return Promise.resolve(last);
      last.close();
    }
    const { promise, resolve, reject } = Promise.withResolvers<Connection>();
    this.#waiting.push(resolve);
    this.#dial().then(
      (connection) => this.#free(connection),
      (error: Error) => {
        const place = this.#waiting.indexOf(resolve);
        if (place !== -1) this.#waiting.splice(place, 1);
        reject(error);
      },
    );
    return promise;
  }

  #free(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next(connection);
      return;
    }
    connection.idleSince = performance.now();
    if (this.#idle.length < MOST_IDLE) this.#idle.push(connection);
    else connection.close();
  }

  #dial(): Promise<Connection> {
    const { host, port, ca } = this.#options;
    this.opened++;
    return new Promise((resolve, reject) => {
      const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
      const socket = connect({ host, port, ALPNProtocols: ["http/1.1"], ...trust });
      const failed = (error?: Error) => reject(new Error(`cannot connect: ${error?.message ?? "closed"}`));
      socket.once("error", failed);
      socket.once("close", failed);
      socket.once("secureConnect", () => {
        socket.off("error", failed).off("close", failed);
        const connection = new Connection(socket);
        this.#all.add(connection);
        socket.once("close", () => this.#all.delete(connection));
        resolve(connection);
      });
    });
  }
}
