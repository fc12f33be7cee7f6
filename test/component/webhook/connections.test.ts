import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type TLSSocket } from "node:tls";
import { type Closing, Connections, type ConnectionsOptions } from "../../../src/webhook/connections.ts";
import { loopbackCertificate } from "./certificate.ts";

const REQUEST_MS = 150;

const certificate = loopbackCertificate();

/** A server that answers each request when its body is here, 200 at `/good` and 404 elsewhere, under watch. */
async function started(t: TestContext, options: Partial<ConnectionsOptions> = {}) {
  const { certPem, keyPem, caPem } = await certificate;
  const server = createServer({ cert: certPem, key: keyPem });
  const closed: Closing[] = [];
  const state = { count: 0 };
  const connections = new Connections(server, {
    requestMs: REQUEST_MS,
    sweepEveryMs: 10,
    onClose: (why) => closed.push(why),
    onCount: (count) => {
      state.count = count;
    },
    ...options,
  });
  server.on(
    "request",
    connections.guard((request, response) => {
      response.statusCode = request.url === "/good" ? 200 : 404;
      request
        .resume()
        .on("end", () => setTimeout(() => response.end("x"), request.url === "/late" ? 400 : 0));
    }),
  );
  t.after(() => server.close().closeAllConnections());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port, host: "127.0.0.1", ca: caPem });
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  };
  return { server, port, open, closed, state };
}

const head = (path: string, length = 1): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

/** The status of the next answer on a connection. */
async function exchange(socket: TLSSocket, path: string): Promise<string> {
  const answered = once(socket, "data");
  socket.write(`${head(path)}x`);
  return String((await answered)[0]).slice(9, 12);
}

/** Milliseconds until the server closed the connection. */
async function untilClosed(socket: TLSSocket): Promise<number> {
  const began = performance.now();
  if (!socket.destroyed) await new Promise((resolve) => socket.resume().once("close", resolve));
  return performance.now() - began;
}

describe("connections", { concurrency: true }, () => {
  const SLOW: Readonly<Record<string, (socket: TLSSocket) => void>> = {
    "a head that never ends": (socket) => void socket.write("POST /good HTTP/1.1\r\nX-A: "),
    "a head that comes byte by byte": (socket) => {
      socket.write("POST /good HTTP/1.1\r\nX-A: ");
      const timer = setInterval(() => (socket.writable ? socket.write("a") : clearInterval(timer)), 20);
    },
    "a body that never ends": (socket) => void socket.write(`${head("/good", 1000)}x`),
    "a body that comes byte by byte": (socket) => {
      socket.write(head("/good", 1000));
      const timer = setInterval(() => (socket.writable ? socket.write("a") : clearInterval(timer)), 20);
    },
  };
  for (const [what, send] of Object.entries(SLOW)) {
    it(`are closed on ${what}, new or used before, while others go on`, async (t) => {
      const { open, closed } = await started(t);
      const [fresh, used, other] = await Promise.all([open(), open(), open()]);
      assert.equal(await exchange(used, "/good"), "200");
      await delay(20);
      send(fresh);
      send(used);
      const ended = Promise.all([untilClosed(fresh), untilClosed(used)]);
      assert.equal(await exchange(other, "/good"), "200");
      for (const tookMs of await ended) assert.ok(tookMs >= REQUEST_MS - 30, `closed after ${tookMs} ms`);
      assert.deepEqual(closed, ["slow", "slow"]);
      assert.equal(await exchange(other, "/good"), "200");
    });
  }

  it("may be idle for as long as they like, whether or not they were used before", async (t) => {
    const { open, closed } = await started(t);
    const [ahead, used] = await Promise.all([open(), open()]);
    assert.equal(await exchange(used, "/good"), "200");
    await delay(3 * REQUEST_MS);
    assert.equal(await exchange(ahead, "/good"), "200");
    await delay(2 * REQUEST_MS);
    assert.equal(await exchange(used, "/good"), "200");
    assert.equal(await exchange(ahead, "/good"), "200");
    assert.deepEqual(closed, []);
  });

  it("are not slow because we are", async (t) => {
    const { open, closed } = await started(t);
    const socket = await open();
    assert.equal(await exchange(socket, "/late"), "404");
    assert.deepEqual(closed, []);
  });

  it("are closed on a request before the answer to the one before", async (t) => {
    const { open, closed } = await started(t);
    const socket = await open();
    socket.write(`${head("/late")}x${head("/late")}x`);
    await untilClosed(socket);
    assert.deepEqual(closed, ["pipelined"]);
  });

  it("make room where there are too many: those that never were useful first, then the longest unused", async (t) => {
    const { open, closed, state } = await started(t, { most: 4 });
    const [useful, useless] = [await open(), await open()];
    assert.equal(await exchange(useful, "/good"), "200");
    assert.equal(await exchange(useless, "/bad"), "404");
    const idle = [await open(), await open()];
    const fifth = await open();
    await untilClosed(useless);
    assert.equal(await exchange(fifth, "/good"), "200", "the newest is served");
    const sixth = await open();
    await untilClosed(idle[0] as TLSSocket);
    assert.equal(await exchange(useful, "/good"), "200");
    assert.equal(await exchange(sixth, "/good"), "200");
    assert.equal(await exchange(idle[1] as TLSSocket, "/good"), "200");
    await open();
    await untilClosed(fifth);
    assert.equal(await exchange(useful, "/good"), "200");
    assert.deepEqual(closed, ["evicted", "evicted", "evicted"]);
    assert.equal(state.count, 4);
  });

  it("count while they are in their TLS handshake, and make room as others do", async (t) => {
    const { port, open, closed, state } = await started(t, { most: 3 });
    const useful = await open();
    assert.equal(await exchange(useful, "/good"), "200");
    const plain = Array.from({ length: 20 }, () =>
      connectTcp(port, "127.0.0.1").on("error", () => undefined),
    );
    t.after(() => plain.forEach((socket) => void socket.destroy()));
    while (closed.length < 18) await delay(5);
    assert.equal(state.count, 3);
    assert.equal(await exchange(useful, "/good"), "200");
    assert.equal(await exchange(await open(), "/good"), "200");
  });

  it("keep the one that waits for our answer, however many others come", async (t) => {
    const { open } = await started(t, { most: 2 });
    const waiting = await open();
    const answer = exchange(waiting, "/late");
    await delay(30);
    for (let others = 0; others < 10; others++) await open();
    assert.equal(await answer, "404");
  });
});

/** Apart from the others, whom it holds up. */
describe("connections of a process that stood still", () => {
  it("are not slow where this process stood still while the rest of the request came", async (t) => {
    const { server, open, closed } = await started(t);
    const socket = await open();
    const received = once(server, "request");
    socket.write(head("/good", 1));
    await received;
    const answered = once(socket, "data");
    socket.write("x");
    for (const end = performance.now() + 3 * REQUEST_MS; performance.now() < end; );
    assert.equal(String((await answered)[0]).slice(9, 12), "200");
    assert.deepEqual(closed, []);
  });
});
