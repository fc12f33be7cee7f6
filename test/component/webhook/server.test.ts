import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request, type Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { Writable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { type DrainOptions, drain } from "../../../src/webhook/drain.ts";
import { createWebhookServer, useCertificate } from "../../../src/webhook/server.ts";
import { onlyThorough } from "../../support/thorough.ts";
import { loopbackCertificate } from "./certificate.ts";
import { contextOf, reviewOf } from "./reviews.ts";

const loopback = loopbackCertificate();

/** The real app behind the real server, for the time of a test. */
async function started(t: TestContext) {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const logger = createLogger({ level: "debug", destination });
  const state = { draining: false };
  const certificate = await loopback;
  const metrics = createMetrics();
  const app = createWebhookApp({
    context: () => contextOf(),
    draining: () => state.draining,
    logger,
    metrics,
  });
  const server = createWebhookServer(app, certificate, { logger, metrics });
  t.after(() => server.close().closeAllConnections());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port, state, certificate, lines };
}

interface Answer {
  readonly status: number | undefined;
  readonly uid: unknown;
  readonly connection: string | undefined;
}

/** Posts a review, its body in two parts, the second once `rest` has come; rejects where the connection is dropped. */
function postReview(
  port: number,
  uid: string,
  agent: Agent,
  rest: Promise<unknown> = Promise.resolve(),
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(reviewOf(uid));
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const outgoing = request({ port, host: "127.0.0.1", path: "/mutate", method: "POST", agent, headers });
    outgoing.on("error", reject);
    outgoing.on("response", async (response) => {
      const chunks = await response.toArray().catch(reject);
      if (chunks === undefined) return;
      const review = JSON.parse(Buffer.concat(chunks).toString());
      const { connection } = response.headers;
      resolve({ status: response.statusCode, uid: review.response.uid, connection });
    });
    outgoing.write(body.slice(0, 100));
    void rest.then(() => outgoing.end(body.slice(100)));
  });
}

function agentFor(t: TestContext, ca: string, maxSockets: number): Agent {
  const agent = new Agent({ ca, keepAlive: true, maxSockets });
  t.after(() => agent.destroy());
  return agent;
}

describe("draining", () => {
  const CLIENTS = onlyThorough ? 50 : 200;
  const options = (changes: Partial<DrainOptions> = {}): DrainOptions => ({
    lingerMs: 400,
    answerMs: 5000,
    atOnce: new AbortController().signal,
    ...changes,
  });

  it(`drops none of ${CLIENTS} keep-alive connections that are in use all the while`, async (t) => {
    const { server, port, state, certificate } = await started(t);
    const dropped: string[] = [];
    const rounds = Array<number>(CLIENTS).fill(0);
    /** As an API server does: goes on over its connection until it is told to close it, then connects elsewhere. */
    const client = async (number: number): Promise<void> => {
      const agent = agentFor(t, certificate.caPem, 1);
      for (let last: string | undefined; last !== "close"; rounds[number] = (rounds[number] ?? 0) + 1) {
        const uid = `${number}-${rounds[number]}`;
        const answer = await postReview(port, uid, agent, delay(100 + 200 * Math.random())).catch(
          (error: Error) => {
            dropped.push(`${uid}: ${error.message}`);
          },
        );
        if (answer === undefined) return;
        assert.deepEqual([answer.status, answer.uid], [200, uid]);
        last = answer.connection;
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
    while (rounds.some((count) => count < 2)) await delay(10);
    assert.equal(await connections(server), CLIENTS);

    state.draining = true;
    await drain(server, options({ lingerMs: 2000 }));
    await Promise.all(clients);
    assert.deepEqual(dropped, []);
    assert.equal(await connections(server), 0);
  });

  it("lets an answer go out that is under way when the server stops listening", async (t) => {
    const { server, port, state, certificate } = await started(t);
    const agent = agentFor(t, certificate.caPem, CLIENTS);
    const stopped = Promise.withResolvers<void>();
    const slow = Array.from({ length: 20 }, (_, number) =>
      postReview(port, `slow-${number}`, agent, stopped.promise),
    );
    while ((await connections(server)) < 20) await delay(5);
    state.draining = true;
    const drained = drain(server, options({ lingerMs: 50 }));
    while (server.listening) await delay(5);
    stopped.resolve();
    await drained;
    for (const { status, connection } of await Promise.all(slow)) {
      assert.deepEqual([status, connection], [200, "close"]);
    }
  });

  it("answers new connections while it lingers", async (t) => {
    const { server, port, state, certificate } = await started(t);
    state.draining = true;
    const drained = drain(server, options());
    const answer = await postReview(port, "late", agentFor(t, certificate.caPem, 1));
    assert.deepEqual(answer, { status: 200, uid: "late", connection: "close" });
    await drained;
    await assert.rejects(postReview(port, "too late", agentFor(t, certificate.caPem, 1)), /ECONNREFUSED/);
  });

  it("closes connections that nobody uses", async (t) => {
    const { server, port, certificate } = await started(t);
    await postReview(port, "once", agentFor(t, certificate.caPem, 1));
    const began = performance.now();
    await drain(server, options({ lingerMs: 0 }));
    assert.ok(performance.now() - began < 2000);
    assert.equal(await connections(server), 0);
  });

  it("waits no longer than any caller does for a request that never ends", async (t) => {
    const { server, port, certificate } = await started(t);
    const never = postReview(port, "never", agentFor(t, certificate.caPem, 1), new Promise(() => undefined));
    while ((await connections(server)) < 1) await delay(5);
    const began = performance.now();
    await Promise.all([
      assert.rejects(never, /socket hang up/),
      drain(server, options({ lingerMs: 0, answerMs: 100 })),
    ]);
    assert.ok(performance.now() - began < 2000);
  });

  it("ends at once where it is told to", async (t) => {
    const { server } = await started(t);
    const atOnce = new AbortController();
    const drained = drain(server, options({ lingerMs: 60_000, atOnce: atOnce.signal }));
    atOnce.abort();
    await drained;
  });
});

describe("the HTTPS server", () => {
  it("keeps idle connections for longer than an API server does", async (t) => {
    const { server } = await started(t);
    assert.ok(server.keepAliveTimeout > 90_000);
    // Node answers 408 on a connection that was opened ahead of need once the shorter of these has passed.
    assert.ok(server.headersTimeout > 90_000);
    assert.ok(server.requestTimeout > 90_000);
  });

  it("changes its certificate under open connections", async (t) => {
    const { server, port, certificate } = await started(t);
    const agent = agentFor(t, certificate.caPem, 1);
    await postReview(port, "before", agent);
    const next = await loopbackCertificate();
    useCertificate(server, next);
    assert.equal((await postReview(port, "on the open connection", agent)).status, 200);
    assert.equal((await postReview(port, "anew", agentFor(t, next.caPem, 1))).status, 200);
    await assert.rejects(postReview(port, "anew, trusting the old", agentFor(t, certificate.caPem, 1)));
  });

  it("speaks TLS 1.2 and newer only, and says a failed handshake at debug, once a second", async (t) => {
    const { port, certificate, lines } = await started(t);
    const socket = connectTls({ port, host: "127.0.0.1", ca: certificate.caPem, maxVersion: "TLSv1.2" });
    await once(socket, "secureConnect");
    assert.equal(protocolOf(socket), "TLSv1.2");
    for (let i = 0; i < 5; i++) {
      const plain = connect(port, "127.0.0.1");
      plain.on("error", () => undefined);
      plain.write("GET /mutate HTTP/1.1\r\n\r\n");
      plain.resume();
      await new Promise((resolve) => plain.once("close", resolve));
    }
    const failed = lines.filter(({ msg }) => msg === "TLS handshake failed");
    assert.equal(failed.length, 1);
    assert.equal(failed[0]?.level, "debug");
  });
});

function protocolOf(socket: TLSSocket): string | null {
  const protocol = socket.getProtocol();
  socket.destroy();
  return protocol;
}

const connections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
