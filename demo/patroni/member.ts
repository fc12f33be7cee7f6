import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";

/** What a simulated member says of itself, as Patroni 4.1 does. */
export interface MemberState {
  readonly role: "primary" | "replica" | "demoted";
  readonly state: "running" | "stopping" | "stopped" | "starting" | "crashed";
  readonly timeline: number;
  /** It holds an unexpired lease: `/primary` answers 200. */
  readonly lease: boolean;
  /** Its view of the DCS names no leader. */
  readonly unlocked: boolean;
  /** Bytes. */
  readonly position: number;
}

/** Two servers on one address, the REST API and PostgreSQL's port; both may be up, down or hung. */
export class SimulatedMember {
  readonly name: string;
  readonly host: string;
  state: MemberState;
  readonly #scope: string;
  readonly #system: string;
  #hung = false;
  #rest: Server | undefined;
  #postgres: TcpServer | undefined;
  readonly #sockets = new Set<Socket>();
  #ports: { readonly rest: number; readonly postgres: number };
  /** Questions that were held back while the member hung; a woken process answers them late. */
  #held: (() => void)[] = [];

  /** @param options.ports 0 takes any free one */
  constructor(options: {
    name: string;
    host: string;
    scope: string;
    system: string;
    state: MemberState;
    ports?: { readonly rest: number; readonly postgres: number };
  }) {
    this.name = options.name;
    this.host = options.host;
    this.state = options.state;
    this.#scope = options.scope;
    this.#system = options.system;
    this.#ports = options.ports ?? { rest: 0, postgres: 0 };
  }

  /** The ports that were taken at the first start; they stay the same afterwards. */
  get ports(): { readonly rest: number; readonly postgres: number } {
    return this.#ports;
  }

  async start(): Promise<void> {
    this.#rest = createServer((request, response) => this.#answer(request, response));
    this.#postgres = createTcpServer((socket) => socket.on("error", () => undefined));
    for (const server of [this.#rest, this.#postgres]) {
      server.on("connection", (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on("close", () => this.#sockets.delete(socket));
      });
    }
    this.#ports = {
      rest: await listen(this.#rest, this.host, this.#ports.rest),
      postgres: await listen(this.#postgres, this.host, this.#ports.postgres),
    };
  }

  /** Everything of the member is gone at once: both ports refuse connections. */
  async crash(): Promise<void> {
    const servers = [this.#rest, this.#postgres].filter((server) => server !== undefined);
    this.#rest = undefined;
    this.#postgres = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** The process is stopped: connections are taken by the kernel, and nobody answers. */
  hang(): void {
    this.#hung = true;
  }

  /** The process runs again and answers what it was asked meanwhile. */
  wake(): void {
    this.#hung = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const answer = (): void => {
      const path = (request.url ?? "/").split("?")[0] ?? "/";
      response.writeHead(this.#codeFor(path), { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify(this.#body()));
    };
    if (this.#hung) this.#held.push(answer);
    else answer();
  }

  #codeFor(path: string): number {
    const { lease, state } = this.state;
    if (path === "/health") return state === "running" ? 200 : 503;
    if (path === "/primary" || path === "/") return lease ? 200 : 503;
    return path === "/patroni" ? 200 : 404;
  }

  #body(): object {
    const { role, state, timeline, unlocked, position } = this.state;
    const xlog =
      role === "primary"
        ? { location: position }
        : {
            received_location: position,
            replayed_location: position,
            replayed_timestamp: null,
            paused: false,
          };
    return {
      state,
      role,
      ...(state === "running" ? { server_version: 150018, xlog, timeline } : {}),
      ...(state === "running" && role !== "primary" ? { replication_state: "streaming" } : {}),
      ...(unlocked ? { cluster_unlocked: true } : {}),
      dcs_last_seen: Math.floor(Date.now() / 1000),
      database_system_identifier: this.#system,
      patroni: { version: "4.1.5", scope: this.#scope, name: this.name },
    };
  }
}

function listen(server: Server | TcpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}
