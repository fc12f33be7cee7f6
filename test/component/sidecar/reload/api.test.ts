import assert from "node:assert/strict";
import { request as plainRequest } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import supertest from "supertest";
import {
  RELOAD_PROBLEM,
  RELOAD_RESULT,
  RELOAD_STATUS,
  type Schema,
} from "../../../../src/contract/reload-schemas.ts";
import { faultIn } from "../../../../src/sidecar/reload/http/validate.ts";
import { failed, type Outcome, proven } from "../../../../src/sidecar/reload/outcome.ts";
import { until } from "../world.ts";
import { Served } from "./world.ts";

const PATH = "/v1/pgbouncer/reload";

/** Every answer is as the OpenAPI document says. */
function assertIs(body: unknown, schema: Schema): void {
  assert.equal(faultIn(body, schema), undefined, JSON.stringify(body));
}

const post = (served: Served, body: object | string) =>
  supertest(served.server).post(PATH).set("content-type", "application/json").send(body);

test("a reload that is proven", async (t) => {
  const served = await Served.start(t);
  served.version.set(8);
  served.outcome = () => Promise.resolve(proven("console", ["listen_backlog"], ["the passwords"]));
  const { status, body, headers } = await post(served, { version: 7 });
  assert.equal(status, 200);
  assertIs(body, RELOAD_RESULT);
  assert.equal(body.requestedVersion, 7);
  assert.equal(body.appliedVersion, 8);
  assert.deepEqual(body.pendingRestart, ["listen_backlog"]);
  assert.deepEqual(body.unverified, ["the passwords"]);
  assert.equal(headers["cache-control"], "no-store");
  const known = await supertest(served.server).get("/v1/status");
  assertIs(known.body, RELOAD_STATUS);
  assert.equal(known.body.pgbouncer.appliedVersion, 8);
  assert.ok(Date.now() - Date.parse(known.body.pgbouncer.appliedSince) < 10_000);
});

const FAILURES = [
  [failed("reload-rejected", "in its words"), 502],
  [failed("configuration-invalid", "faults", [{ file: "f", line: 3, message: "m" }]), 422],
  [failed("configuration-invalid", "faults", [{ file: undefined, line: undefined, message: "m" }]), 422],
  [failed("reload-unproven", "nothing"), 502],
] as const satisfies (readonly [Outcome, number])[];
for (const [outcome, expected] of FAILURES) {
  test(`a reload that comes to grief: ${JSON.stringify(outcome)}`, async (t) => {
    const served = await Served.start(t);
    served.version.set(7);
    served.outcome = () => Promise.resolve(outcome);
    const { status, body, type } = await post(served, { version: 7 });
    assert.equal(status, expected);
    assert.equal(type, "application/problem+json");
    assertIs(body, RELOAD_PROBLEM);
    const { failure } = outcome as Extract<Outcome, { kind: "failed" }>;
    assert.equal(body.type, `https://patroni-injector.io/problems/${failure.problem}`);
    assert.equal(body.appliedVersion, undefined);
    const { body: known } = await supertest(served.server).get("/v1/status");
    assertIs(known, RELOAD_STATUS);
    assert.equal(known.pgbouncer.lastError.problem, failure.problem);
  });
}

test("a version that does not arrive, with and without one that is there", async (t) => {
  const served = await Served.start(t);
  const none = await post(served, { version: 7, timeoutSeconds: 1 });
  assert.equal(none.status, 504);
  assertIs(none.body, RELOAD_PROBLEM);
  assert.match(none.body.detail, /there is none: not yet/);
  assert.deepEqual(served.reloads, []);
});

const INVALID: readonly (readonly [string, RegExp])[] = [
  ["", /not JSON/],
  ["{", /not JSON/],
  ["null", /must be an object/],
  ["[1]", /must be an object/],
  ["{}", /must have "version"/],
  ['{"version":"7"}', /"version" must be a whole number/],
  ['{"version":7.5}', /"version" must be a whole number/],
  ['{"version":-1}', /"version" must be from 0/],
  ['{"version":9007199254740993}', /"version" must be/],
  ['{"version":7,"timeoutSeconds":0}', /"timeoutSeconds" must be from 1 to 300/],
  ['{"version":7,"timeoutSeconds":301}', /"timeoutSeconds" must be from 1 to 300/],
  ['{"version":7,"force":true}', /must not have "force"/],
  ['{"version":7,"__proto__":{"timeoutSeconds":1}}', /must not have "__proto__"/],
  ['{"version":7,"constructor":1}', /must not have "constructor"/],
];
for (const [text, detail] of INVALID) {
  test(`a body that is not allowed: ${text}`, async (t) => {
    const served = await Served.start(t);
    served.version.set(7);
    const { status, body, type } = await post(served, text);
    assert.equal(status, 400);
    assert.equal(type, "application/problem+json");
    assertIs(body, RELOAD_PROBLEM);
    assert.match(body.detail, detail);
    assert.deepEqual(served.reloads, []);
  });
}

test("what HTTP itself tells: 404, 405, 413, 415", async (t) => {
  const served = await Served.start(t);
  const server = supertest(served.server);
  const answers = [
    [await server.get("/"), 404],
    [await server.get("/v1/status/../../etc/passwd"), 404],
    [await server.post("/v1/postgres/reload").set("content-type", "application/json").send("{}"), 404],
    [await server.get(PATH), 405],
    [await server.delete("/v1/status"), 405],
    [await post(served, `{"version":7,"x":"${"y".repeat(5000)}"}`), 413],
    [await server.post(PATH).set("content-type", "text/plain").send('{"version":7}'), 415],
    [await server.post(PATH), 415],
  ] as const;
  for (const [{ status, body, type }, expected] of answers) {
    assert.equal(status, expected);
    assert.equal(type, "application/problem+json");
    assertIs(body, RELOAD_PROBLEM);
    assert.equal(body.type, "about:blank");
  }
  assert.equal(answers[3][0].headers.allow, "POST");
  assert.equal((await server.head("/v1/status")).status, 200);
});

test("who may not call learns nothing, not even what there is", async (t) => {
  const served = await Served.start(t);
  served.version.set(7);
  for (const [problem, status] of [
    ["unauthenticated", 401],
    ["forbidden", 403],
  ] as const) {
    served.verdict = { kind: "refused", problem, why: "because" };
    for (const path of [PATH, "/v1/postgres/reload", "/v1/status", "/v1/openapi.json", "/nothing"]) {
      const answer = await supertest(served.server)
        .post(path)
        .set("content-type", "application/json")
        .send("{}");
      assert.equal(answer.status, status);
      assertIs(answer.body, RELOAD_PROBLEM);
      assert.equal(answer.headers["www-authenticate"], status === 401 ? "Bearer" : undefined);
    }
  }
  assert.deepEqual(served.reloads, []);
});

test("a large body of somebody who may not call is not read, and its connection ends", async (t) => {
  const served = await Served.start(t);
  served.verdict = { kind: "refused", problem: "unauthenticated", why: "because" };
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(served.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
    socket.write(`POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n`);
  });
  assert.match(answer, /^HTTP\/1.1 401 /);
  assert.match(answer, /connection: close/i);
});

test("a caller that hangs up is forgotten; the reload goes on", async (t) => {
  const served = await Served.start(t);
  served.version.set(7);
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  served.outcome = () => promise;
  const call = plainRequest({
    port: served.port,
    host: "127.0.0.1",
    path: PATH,
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  call.on("error", () => undefined).end('{"version":7}');
  await until("the reload", () => served.reloads.length === 1);
  assert.equal(served.component.status.waiting, 1);
  call.destroy();
  await until("nobody to wait", () => served.component.status.waiting === 0);
  await until("the caller to be told of", () => served.answered.length === 1);
  assert.equal(served.answered[0]?.[2], undefined);
  resolve(proven("console"));
  await until("the proof", () => served.component.status.applied === 7);
  assert.deepEqual(served.reloads, [7]);
  assert.deepEqual(served.faults, []);
});

test("the version changes during a reload: it runs again, and answers for what is there then", async (t) => {
  const served = await Served.start(t);
  served.version.set(7);
  const first = Promise.withResolvers<Outcome>();
  served.outcome = () => first.promise;
  const asked = post(served, { version: 7 }).then((answer) => answer);
  await until("the reload", () => served.reloads.length === 1);
  served.outcome = () => Promise.resolve(proven("console"));
  served.version.set(8);
  first.resolve(failed("reload-rejected", "half of one, half of the other"));
  const { status, body } = await asked;
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.appliedVersion, 8);
  assert.deepEqual(served.reloads, [7, 8]);
});

test("a version that changes untold is found at the reload's end", async (t) => {
  const served = await Served.start(t);
  served.version.set(7);
  served.outcome = () => {
    if (served.reloads.length === 1) served.version.setUntold(8);
    return Promise.resolve(proven("console"));
  };
  const { body } = await post(served, { version: 7 });
  assert.equal(body.appliedVersion, 8);
  assert.deepEqual(served.reloads, [7, 8]);
});

test("one too many is told to come again", async (t) => {
  const served = await Served.start(t);
  served.server.maxConnections = 1000;
  const calls = Array.from({ length: 257 }, () =>
    post(served, { version: 7, timeoutSeconds: 2 }).then((a) => a),
  );
  const refused = await Promise.race(calls);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers["retry-after"], "5");
  assertIs(refused.body, RELOAD_PROBLEM);
  served.version.set(7);
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 256);
  assert.deepEqual(served.reloads, [7]);
});

test("who may only look reads the status, and reloads nothing", async (t) => {
  const served = await Served.start(t);
  served.version.set(7);
  served.verdict = { kind: "admitted", caller: "injector/controller", onlyLooks: true };
  assert.equal((await supertest(served.server).get("/v1/status")).status, 200);
  const refused = await post(served, { version: 7 });
  assert.equal(refused.status, 403);
  assertIs(refused.body, RELOAD_PROBLEM);
  assert.equal(refused.body.type, "https://patroni-injector.io/problems/forbidden");
  assert.deepEqual(served.reloads, []);
});
