import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { beforeEach, describe, it, type TestContext } from "node:test";
import supertest from "supertest";
import type { ReviewContext } from "../../../src/injection/review.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import { BODY_LIMIT, createWebhookApp } from "../../../src/webhook/app.ts";
import { contextOf, reviewOf, SURROUNDINGS } from "./reviews.ts";

let lines: Record<string, unknown>[];
let metrics: Metrics;
let draining: boolean;
let context: () => Omit<ReviewContext, "mode">;

beforeEach(() => {
  lines = [];
  metrics = createMetrics();
  draining = false;
  context = () => contextOf();
});

function app() {
  const destination = new Writable({
    write(chunk, _, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return createWebhookApp({
    context: () => context(),
    draining: () => draining,
    logger: createLogger({ level: "debug", destination }),
    metrics,
  });
}

/** The app on a real server that ends with the test. */
async function listening(t: TestContext): Promise<{ server: Server; port: number }> {
  const server = createServer(app()).listen(0, "127.0.0.1");
  t.after(() => server.close().closeAllConnections());
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const post = (path: string, body: string | object, type = "application/json") =>
  supertest(app()).post(path).set("Content-Type", type).send(body);

async function value(name: string, labels = ""): Promise<number> {
  const text = await metrics.registry.metrics();
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}${labels} `));
  return Number(line?.split(" ").at(-1) ?? 0);
}

describe("a review", () => {
  it("is answered with a patch where the pod is to be injected", async () => {
    const answer = await post("/mutate?timeout=5s", reviewOf("u-1")).expect(200);
    assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
    assert.equal(answer.headers["x-powered-by"], undefined);
    assert.equal(answer.headers.etag, undefined);
    assert.equal(answer.headers.connection, "close", "supertest's own choice");
    const { apiVersion, kind, response } = answer.body;
    assert.deepEqual([apiVersion, kind, response.uid], ["admission.k8s.io/v1", "AdmissionReview", "u-1"]);
    assert.equal(response.allowed, true);
    assert.equal(response.patchType, "JSONPatch");
    assert.ok(Array.isArray(JSON.parse(Buffer.from(response.patch, "base64").toString())));
  });

  it("is one log line and one count", async () => {
    await post("/mutate", reviewOf("u-2", { dryRun: true })).expect(200);
    assert.equal(lines.length, 1);
    const { level, uid, namespace, name, mode, dryRun, decision, reason, msg } = lines[0] ?? {};
    assert.deepEqual(
      { level, uid, namespace, name, mode, dryRun, decision, reason, msg },
      {
        level: "info",
        uid: "u-2",
        namespace: "db",
        name: "pg-0",
        mode: "enabled",
        dryRun: true,
        decision: "inject",
        reason: "injected",
        msg: "review",
      },
    );
    const labels = '{mode="enabled",decision="inject",reason="injected",dry_run="true"}';
    assert.equal(await value("patroni_injector_admission_reviews_total", labels), 1);
    assert.equal(await value("patroni_injector_admission_duration_seconds_count"), 1);
    assert.equal(await value("patroni_injector_admission_in_flight"), 0);
  });

  it("is only told about at /audit", async () => {
    const { body } = await post("/audit", reviewOf("u-3")).expect(200);
    assert.equal(body.response.patch, undefined);
    assert.equal(body.response.allowed, true);
    assert.match(body.response.warnings.join(), /would be injected/);
    assert.equal(lines[0]?.mode, "audit");
  });

  it("refuses a pod with a malformed annotation, in the words of the annotation", async () => {
    const annotations = { "patroni-injector.io/postgres-port": "many" };
    const { body } = await post("/mutate", reviewOf("u-4", { annotations })).expect(200);
    assert.equal(body.response.allowed, false);
    assert.match(body.response.status.message, /postgres-port.*many/);
    assert.equal(lines[0]?.decision, "deny");
  });

  it("is a debug line where there is nothing to see", async () => {
    await post("/mutate", reviewOf("u-5", { labels: { application: "web" } })).expect(200);
    assert.deepEqual([lines[0]?.level, lines[0]?.reason], ["debug", "not-selected"]);
  });

  it("is decided with what counts at that moment", async () => {
    context = () => contextOf("selectors: [{key: app, values: [pg]}]");
    const { body } = await post("/mutate", reviewOf("u-6")).expect(200);
    assert.equal(body.response.auditAnnotations.reason, "not-selected");
  });

  it("admits the pod where deciding fails, and logs the error but does not tell it", async () => {
    const broken = {
      ...SURROUNDINGS,
      service: () => {
        throw new Error("secret detail");
      },
    };
    context = () => contextOf("", broken);
    const { body, text } = await post("/mutate", reviewOf("u-7")).expect(200);
    assert.equal(body.response.allowed, true);
    assert.doesNotMatch(text, /secret detail/);
    assert.equal(lines[0]?.level, "error");
    assert.match(JSON.stringify(lines[0]?.err), /secret detail/);
  });

  it("is taken with a charset, and in chunks", async (t) => {
    await post("/mutate", reviewOf("u-8"), "application/json; charset=utf-8").expect(200);
    const { port } = await listening(t);
    const headers = { "content-type": "application/json" };
    const request = httpRequest({ port, host: "127.0.0.1", path: "/mutate", method: "POST", headers });
    // A cut inside a character's bytes must not tear it apart.
    const bytes = Buffer.from(JSON.stringify(reviewOf("ü-é-9")));
    const cut = bytes.indexOf(Buffer.from("é")) + 1;
    request.write(bytes.subarray(0, cut));
    await new Promise((resolve) => setTimeout(resolve, 20));
    request.end(bytes.subarray(cut));
    const [response] = await once(request, "response");
    let text = "";
    for await (const chunk of response) text += chunk;
    assert.equal(JSON.parse(text).response.uid, "ü-é-9");
  });
});

describe("a request that is no review", () => {
  const ROWS: readonly {
    readonly name: string;
    readonly send: () => supertest.Test;
    readonly status: number;
    readonly says: RegExp;
  }[] = [
    {
      name: "broken JSON",
      send: () => post("/mutate", '{"kind":,}'),
      status: 400,
      says: /^the body is not valid JSON: mistake at line 1, column 9$/,
    },
    { name: "no body", send: () => post("/mutate", ""), status: 400, says: /it ends too early/ },
    { name: "a list", send: () => post("/mutate", "[]"), status: 400, says: /must be an AdmissionReview/ },
    {
      name: "a v1beta1 review",
      send: () => post("/mutate", { ...reviewOf("u"), apiVersion: "admission.k8s.io/v1beta1" }),
      status: 400,
      says: /apiVersion must be "admission.k8s.io\/v1"/,
    },
    {
      name: "another content type",
      send: () => post("/mutate", "kind: AdmissionReview", "application/yaml"),
      status: 415,
      says: /must be application\/json/,
    },
    {
      name: "a body over the limit",
      send: () => post("/mutate", JSON.stringify({ filler: "x".repeat(BODY_LIMIT) })),
      status: 413,
      says: /at most 7340032 bytes/,
    },
    { name: "another path", send: () => post("/other", {}), status: 404, says: /\/mutate and \/audit/ },
    { name: "GET", send: () => supertest(app()).get("/mutate"), status: 405, says: /only POST/ },
    { name: "PUT", send: () => supertest(app()).put("/audit").send({}), status: 405, says: /only POST/ },
    { name: "OPTIONS", send: () => supertest(app()).options("/audit"), status: 405, says: /only POST/ },
    {
      name: "a path that is no text",
      send: () => post("/%ff", {}),
      status: 404,
      says: /\/mutate and \/audit/,
    },
  ];
  for (const { name, send, status, says } of ROWS) {
    it(`is answered ${status}: ${name}`, async () => {
      const answer = await send().expect(status).expect("Content-Type", "application/json");
      assert.match(answer.body.error, says);
      assert.equal(await value("patroni_injector_admission_refused_total", `{status="${status}"}`), 1);
      assert.equal(await value("patroni_injector_admission_in_flight"), 0);
    });
  }

  it("names the method that is allowed", async () => {
    await supertest(app()).delete("/mutate").expect(405).expect("Allow", "POST");
  });

  it("is answered 413 before the end of a body whose length is not told, and the connection lives on", async (t) => {
    const { port } = await listening(t);
    const request = httpRequest({
      port,
      host: "127.0.0.1",
      path: "/mutate",
      method: "POST",
      headers: { "content-type": "application/json", "transfer-encoding": "chunked" },
    });
    const answered = once(request, "response");
    const block = Buffer.alloc(1024 * 1024, "x");
    for (let sent = 0; sent <= 8; sent++) request.write(block);
    const [response] = await answered;
    assert.equal(response.statusCode, 413);
    assert.notEqual(response.headers.connection, "close");
    request.end();
    response.resume();
    await once(response, "end");
  });

  it("is nothing to answer where the client went away", async (t) => {
    const { server, port } = await listening(t);
    const headers = { "content-type": "application/json", "content-length": 1000 };
    const request = httpRequest({ port, host: "127.0.0.1", path: "/mutate", method: "POST", headers });
    const failed = once(request, "error").then(([error]) => Promise.reject(error));
    request.write("{");
    const [seen] = await Promise.race([once(server, "request"), failed]);
    assert.equal(seen.headers["content-length"], "1000", "a request of somebody else");
    const gone = new Promise((resolve) => seen.once("close", resolve));
    failed.catch(() => undefined);
    request.destroy();
    await gone;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await value("patroni_injector_admission_in_flight"), 0);
    assert.deepEqual(lines, []);
  });
});

describe("while draining", () => {
  it("every answer asks its client to connect anew", async (t) => {
    const { port } = await listening(t);
    const connection = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: "" });
      await response.text();
      return response.headers.get("connection");
    };
    assert.equal(await connection("/mutate"), "keep-alive");
    draining = true;
    assert.equal(await connection("/mutate"), "close");
    assert.equal(await connection("/nowhere"), "close");
  });
});
