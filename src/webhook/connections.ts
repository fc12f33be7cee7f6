import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Server } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

/** Why a connection was closed that its client had not closed. */
export type Closing = "slow" | "pipelined" | "evicted";

export interface ConnectionsOptions {
  /** How many there may be, those in their TLS handshake included. */
  readonly most?: number;
  /** Milliseconds from a request's first byte until its last one must be here. */
  readonly requestMs?: number;
  readonly sweepEveryMs?: number;
  /** Told of every connection that is given up here. */
  onClose(why: Closing): void;
  /** Told of how many connections there are, whenever that changes. */
  onCount(count: number): void;
}

const DEFAULTS = { most: 1024, requestMs: 10_000, sweepEveryMs: 1000 };

/** The last request of a connection. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  /** When its head was here, on the clock of the looks. */
  readonly at: number;
  /** When its answer was first seen to be given but not taken. */
  answeredSince: number | undefined;
}

interface Connection {
  /** What is to be destroyed: the TCP socket until the TLS handshake is done. */
  socket: Socket;
  isSecure: boolean;
  request: Exchange | undefined;
  /** Whether a request's head came since the last look. */
  hadHead: boolean;
  /** Bytes of requests as of the last look; what TLS adds does not count. */
  bytes: number;
  /** When bytes were first seen of a request whose head is not here yet. */
  headSince: number | undefined;
}

/**
 * Keeps clients from holding up others by what they do not send.
 *
 * A request must be here within 10 s of its first byte; an API server sends it at once. A connection that sends nothing may stay:
 * API servers keep theirs for 90 s, used or not, and may write into one at the very moment in which we close it, and of a request
 * that was written they never know whether it may be sent again. So a connection is only closed before its time where there are too
 * many of them, and then not the new one, which may be the only one that an API server has, but the one that was useful the longest
 * ago: those first over which no review was ever answered, then the others, each in the order of time. One whose request is here in
 * whole is never closed.
 *
 * On one connection there is one request at a time. No API server pipelines, so whoever does is none.
 */
export class Connections {
  readonly #options: Required<ConnectionsOptions>;
  readonly #bySocket = new WeakMap<Socket, Connection>();
  /** Those in their TLS handshake, by peer: the socket changes with it. */
  readonly #shaking = new Map<string, Connection>();
  /** Over which no review was answered yet, and over which one was; both in the order of when that was last. */
  readonly #unproven = new Set<Connection>();
  readonly #proven = new Set<Connection>();

  /** Milliseconds in which we were there to listen: what came while this process stood still was not read yet, but it was not late. */
  #clock = 0;

  /** Watches over the server's connections from now on, until it closes. */
  constructor(server: Server, options: ConnectionsOptions) {
    this.#options = { ...DEFAULTS, ...options };
    server.on("connection", (socket: Socket) => this.#opened(socket));
    server.on("secureConnection", (socket: TLSSocket) => this.#secured(socket));
    let before = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      this.#clock += Math.min(now - before, 2 * this.#options.sweepEveryMs);
      before = now;
      this.#sweep(this.#clock);
    }, this.#options.sweepEveryMs).unref();
    server.on("close", () => clearInterval(timer));
  }

  /** An app that is given only what is to be answered. */
  guard(app: RequestListener): RequestListener {
    return (incoming, response) => {
      const connection = this.#bySocket.get(incoming.socket);
      if (connection !== undefined && !this.#begin(connection, incoming, response)) return;
      app(incoming, response);
    };
  }

  /** @returns false where the connection was closed for it */
  #begin(connection: Connection, incoming: IncomingMessage, response: ServerResponse): boolean {
    if (connection.request?.response.writableEnded === false) {
      this.#close(connection, "pipelined");
      return false;
    }
    connection.request = { incoming, response, at: this.#clock, answeredSince: undefined };
    connection.hadHead = true;
    connection.headSince = undefined;
    response.once("finish", () => {
      if (response.statusCode === 200) this.#prove(connection);
    });
    return true;
  }

  #opened(socket: Socket): void {
    const peer = peerOf(socket);
    const connection: Connection = {
      socket,
      isSecure: false,
      request: undefined,
      hadHead: false,
      bytes: 0,
      headSince: undefined,
    };
    this.#unproven.add(connection);
    this.#shaking.set(peer, connection);
    socket.once("close", () => {
      this.#forget(connection);
      if (this.#shaking.get(peer) === connection) this.#shaking.delete(peer);
    });
    if (this.#counted() > this.#options.most) this.#makeRoomFor(connection);
  }

  #secured(socket: TLSSocket): void {
    const peer = peerOf(socket);
    const connection = this.#shaking.get(peer);
    if (connection === undefined) return;
    this.#shaking.delete(peer);
    connection.socket = socket;
    connection.isSecure = true;
    this.#bySocket.set(socket, connection);
  }

  #forget(connection: Connection): void {
    this.#unproven.delete(connection);
    this.#proven.delete(connection);
    this.#counted();
  }

  #counted(): number {
    const count = this.#unproven.size + this.#proven.size;
    this.#options.onCount(count);
    return count;
  }

  #prove(connection: Connection): void {
    const isOpen = this.#unproven.delete(connection) || this.#proven.delete(connection);
    if (isOpen) this.#proven.add(connection);
  }

  #makeRoomFor(newest: Connection): void {
    for (const connection of this.#all()) {
      if (connection === newest || isOurs(connection)) continue;
      this.#close(connection, "evicted");
      return;
    }
  }

  #sweep(now: number): void {
    for (const connection of this.#all()) {
      if (this.#isSlow(connection, now)) this.#close(connection, "slow");
    }
  }

  /** The TLS handshake has a time limit of its own, the server's. */
  #isSlow(connection: Connection, now: number): boolean {
    const { request, isSecure, socket } = connection;
    const { requestMs } = this.#options;
    if (!isSecure) return false;
    if (request?.incoming.complete === false) return now - request.at > requestMs;
    if (request?.response.writableEnded === true && !request.response.writableFinished) {
      request.answeredSince ??= now;
      return now - request.answeredSince > requestMs;
    }
    if (socket.bytesRead !== connection.bytes && !connection.hadHead) connection.headSince ??= now;
    connection.bytes = socket.bytesRead;
    connection.hadHead = false;
    return connection.headSince !== undefined && now - connection.headSince > requestMs;
  }

  *#all(): Generator<Connection> {
    yield* this.#unproven;
    yield* this.#proven;
  }

  #close(connection: Connection, why: Closing): void {
    this.#forget(connection);
    this.#options.onClose(why);
    connection.socket.destroy();
  }
}

/** A whole request is here, and we have yet to answer it. */
const isOurs = ({ request }: Connection): boolean =>
  request?.incoming.complete === true && !request.response.writableEnded;

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
