import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";

/** What a scripted member does with a request: answers with a status and a body, or anything else. */
export type Answer = { readonly code: number; readonly body: object } | RequestListener;

export const SYSTEM = "7391026471882319361";

/** A body as Patroni 4.1 sends it. */
export const body = (role: string, state: string, more: object = {}): object => ({
  state,
  role,
  timeline: 1,
  database_system_identifier: SYSTEM,
  patroni: { version: "4.1.5", scope: "pg", name: "pg-0" },
  ...more,
});

export const PRIMARY: Answer = { code: 200, body: body("primary", "running") };
export const REPLICA: Answer = { code: 503, body: body("replica", "running") };

/** A member whose every answer the test says. PostgreSQL's port takes connections, and nothing more. */
export class ScriptedMember {
  readonly name: string;
  readonly host: string;
  answer: Answer = REPLICA;
  /** Answers of other paths than `/primary` and `/health`. */
  readonly others = new Map<string, Answer>();
  /** Every path that was asked, in order. */
  readonly asked: string[] = [];
  readonly #tls: ServerOptions | undefined;
  readonly #sockets = new Set<Socket>();
  #servers: { close(done: () => void): unknown }[] = [];
  ports = { rest: 0, postgres: 0 };

  constructor(name: string, host: string, tls?: ServerOptions) {
    this.name = name;
    this.host = host;
    this.#tls = tls;
  }

  async start(): Promise<this> {
    const listener: RequestListener = (request, response) => this.#respond(request, response);
    const rest = this.#tls === undefined ? createServer(listener) : createSecureServer(this.#tls, listener);
    const postgres = createTcpServer((socket) => socket.on("error", () => undefined));
    this.#servers = [rest, postgres];
    for (const server of [rest, postgres]) {
      server.on("connection", (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on("close", () => this.#sockets.delete(socket));
      });
    }
    this.ports = {
      rest: await listen(rest, this.host, this.ports.rest),
      postgres: await listen(postgres as unknown as Server, this.host, this.ports.postgres),
    };
    return this;
  }

  /** Both ports refuse connections from now on. */
  async stop(): Promise<void> {
    const closed = this.#servers.splice(0).map((server) => new Promise<void>((done) => server.close(done)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.asked.push(path);
    const isHealth = path === "/health";
    const answer = isHealth || path === "/primary" ? this.answer : this.others.get(path);
    if (typeof answer === "function") answer(request, response);
    else {
      const code = isHealth ? healthOf(answer?.body) : (answer?.code ?? 404);
      response.writeHead(code, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify(answer?.body ?? {}));
    }
  }
}

const healthOf = (answered: object | undefined): number =>
  answered !== undefined && "state" in answered && answered.state === "running" ? 200 : 503;

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
