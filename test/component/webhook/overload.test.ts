import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { Turns } from "../../../src/webhook/turns.ts";
import { contextOf, reviewOf } from "./reviews.ts";

/** The app with a queue whose clock says that each decision takes 25 ms: one for each turn of the event loop. */
async function started(t: TestContext) {
  const clock = { now: 0 };
  const turns = new Turns(() => clock.now);
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics();
  const context = contextOf();
  const state = { decided: 0 };
  const app = createWebhookApp({
    context() {
      clock.now += 25;
      state.decided++;
      return context;
    },
    draining: () => false,
    logger: createLogger({
      level: "warn",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    metrics,
    turns,
  });
  const server = createServer(app).listen(0, "127.0.0.1");
  t.after(() => server.close().closeAllConnections());
  await once(server, "listening");
  return { turns, clock, lines, metrics, server, state, port: (server.address() as AddressInfo).port };
}

function send(port: number, body: string | undefined) {
  const headers = { "content-type": "application/json", "content-length": body?.length ?? 1000 };
  const request = httpRequest({
    port,
    host: "127.0.0.1",
    path: "/mutate",
    method: "POST",
    headers,
    agent: false,
  });
  if (body === undefined) request.write("{");
  else request.end(body);
  return request;
}

/** Jobs that keep the queue full for as many turns of the event loop. */
function fill({ turns, clock }: { turns: Turns; clock: { now: number } }, waiting = 512): void {
  while (turns.waiting < waiting) {
    void turns.run(() => {
      clock.now += 25;
    });
  }
}

describe("under overload", () => {
  it("answers 429 with Retry-After before the body is here, says so once, and takes reviews again afterwards", async (t) => {
    const scene = await started(t);
    const isFull = () => fill(scene);
    scene.server.prependListener("request", isFull);
    for (let count = 0; count < 3; count++) {
      const request = send(scene.port, undefined).on("error", () => undefined);
      const [response] = await once(request, "response");
      assert.equal(response.statusCode, 429);
      assert.equal(response.headers["retry-after"], "1");
      request.destroy();
    }
    scene.server.off("request", isFull);
    assert.equal(scene.state.decided, 0);
    assert.match(await scene.metrics.registry.metrics(), /refused_total\{status="429"\} 3$/m);
    assert.deepEqual(
      scene.lines.map(({ level, msg }) => [level, msg]),
      [["warn", "overloaded: reviews are put off"]],
    );
    while (scene.turns.waiting > 0) await nextTurn();
    const [answered] = await once(send(scene.port, JSON.stringify(reviewOf("u"))), "response");
    assert.equal(answered.statusCode, 200);
  });

  it("answers every one of many reviews that come at once, 200 or 429, and no more wait than fit", async (t) => {
    const scene = await started(t);
    const { port, server, turns, state } = scene;
    const body = JSON.stringify(reviewOf("u"));
    let most = 0;
    let seen = 0;
    server.prependListener("request", () => {
      most = Math.max(most, turns.waiting);
      fill(scene, seen++ % 2 === 0 ? 400 : 512);
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const [response] = await once(send(port, body), "response");
        response.resume();
        return `${response.statusCode} ${response.headers["retry-after"]}`;
      }),
    );
    const counts = Object.groupBy(answers, (answer) => answer);
    const good = counts["200 undefined"]?.length ?? 0;
    const putOff = counts["429 1"]?.length ?? 0;
    assert.ok(good > 0 && putOff > 0, `${good} answered, ${putOff} put off`);
    assert.equal(good + putOff, 100);
    assert.equal(state.decided, good);
    assert.ok(most <= 512);
  });

  it("decides nothing for a client that went away while its review waited", async (t) => {
    const scene = await started(t);
    const { port, server, turns, state } = scene;
    const received = new Promise<IncomingMessage>((resolve) => {
      server.prependOnceListener("request", (incoming) => {
        fill(scene, 500);
        incoming.once("end", () => resolve(incoming));
      });
    });
    const request = send(port, JSON.stringify(reviewOf("u"))).on("error", () => undefined);
    const incoming = await received;
    const gone = once(incoming.socket, "close");
    request.destroy();
    await gone;
    while (turns.waiting > 0) await nextTurn();
    assert.equal(state.decided, 0);
  });
});
