import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export interface Backend {
  /** Of the webhook, on 127.0.0.1. */
  readonly port: number;
  /** Of `/readyz`. */
  readonly operationsPort: number;
}

interface Known extends Backend {
  /** Whether new connections are led there. */
  inService: boolean;
  /** Whether it was ready at the last look, and since when. */
  ready: boolean;
  since: number;
}

/** Milliseconds. */
const LOOK_EVERY_MS = 100;

/**
 * A Service in front of several backends, as kube-proxy makes it: a new connection goes to any one that is in service, and stays
 * there whatever becomes of it. Who becomes ready or unready is put in or taken out only after a while: the time of the kubelet's
 * next probe, of the EndpointSlice and of every node's rules.
 */
export class Balancer {
  readonly port: number;
  readonly #server: Server;
  readonly #backends: Known[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #delayMs: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(server: Server, delayMs: number) {
    this.#server = server;
    this.#delayMs = delayMs;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => this.#lead(socket));
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS);
  }

  static async start(delayMs: number): Promise<Balancer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Balancer(server, delayMs);
  }

  add(backend: Backend): void {
    this.#backends.push({ ...backend, inService: false, ready: false, since: performance.now() });
  }

  remove(port: number): void {
    this.#backends.splice(
      this.#backends.findIndex((backend) => backend.port === port),
      1,
    );
  }

  /** The ports that new connections are led to. */
  get inService(): number[] {
    return this.#backends.filter(({ inService }) => inService).map(({ port }) => port);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = once(this.#server.close(), "close");
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #look(): Promise<void> {
    await Promise.all(
      this.#backends.map(async (backend) => {
        const ready = await isReady(backend.operationsPort);
        const now = performance.now();
        if (ready !== backend.ready) Object.assign(backend, { ready, since: now });
        if (now - backend.since >= this.#delayMs) backend.inService = backend.ready;
      }),
    );
  }

  #lead(client: Socket): void {
    const { inService } = this;
    const port = inService[Math.floor(Math.random() * inService.length)];
    if (port === undefined) return void client.resetAndDestroy();
    const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.resetAndDestroy());
      one.on("close", () => this.#sockets.delete(one));
      one.pipe(other);
    }
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
