import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { reviewOf } from "./reviews.ts";
import { type ServeProcess, startServe } from "./serve-process.ts";

const LOOPBACK = `
webhook: {host: 127.0.0.1, port: 0, registration: {mode: none}}
operations: {host: 127.0.0.1, port: 0}
drainSeconds: 0
`;

/** A running process, and its two ports as its log line tells them. */
async function running(t: TestContext, configuration = LOOPBACK) {
  const serve = await startServe(t, configuration);
  const { webhook, operations } = (await serve.line("listening")) as Record<string, { port: number }>;
  assert.ok(webhook && operations);
  return { serve, webhook: webhook.port, operations: operations.port };
}

async function review(port: number, uid: string): Promise<{ response: Record<string, unknown> }> {
  const outgoing = request({
    host: "127.0.0.1",
    port,
    path: "/mutate",
    method: "POST",
    headers: { "content-type": "application/json" },
    rejectUnauthorized: false,
    agent: false,
  });
  outgoing.end(JSON.stringify(reviewOf(uid)));
  const [response] = await once(outgoing, "response");
  return JSON.parse(Buffer.concat(await response.toArray()).toString());
}

const get = async (port: number, path: string) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: response.status, text: await response.text() };
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let left = 200; !(await condition()); left--) {
    assert.ok(left > 0, "did not become true");
    await delay(20);
  }
}

const lineWith = (serve: ServeProcess, message: string, count: number) =>
  until(async () => serve.lines.filter(({ msg }) => msg === message).length >= count);

describe("serve, as a process of its own", () => {
  it("answers reviews without a cluster where nothing is to be registered, and says so", async (t) => {
    const { serve, webhook, operations } = await running(t);
    assert.equal(
      (await serve.line("no cluster: Services and nodes are unknown, and nothing is registered")).level,
      "warn",
    );
    assert.deepEqual(await get(operations, "/readyz"), { status: 200, text: '{"status":"ok"}' });
    const { response } = await review(webhook, "u-1");
    assert.equal(response.uid, "u-1");
    assert.equal(response.allowed, true);
    assert.equal((await serve.line("review")).uid, "u-1");
    const { text } = await get(operations, "/metrics");
    assert.match(text, /^patroni_injector_admission_reviews_total\{.*decision="inject".*\} 1$/m);
    assert.match(text, /^patroni_injector_config_last_reload_successful 1$/m);
    const expiry = /^patroni_injector_certificate_expiry_timestamp_seconds (.+)$/m.exec(text)?.[1];
    assert.ok(Number(expiry) * 1000 > Date.now());
  });

  it("takes a new configuration while it runs, and keeps the old one where the new one is bad", async (t) => {
    const { serve, webhook, operations } = await running(t);
    const reason = async () =>
      ((await review(webhook, "u")).response.auditAnnotations as Record<string, unknown>).reason;
    assert.equal(await reason(), "injected");

    await writeFile(serve.configPath, `${LOOPBACK}selectors: [{key: app, values: [pg]}]\n`);
    await lineWith(serve, "configuration reloaded", 1);
    assert.equal(await reason(), "not-selected");

    await writeFile(serve.configPath, `${LOOPBACK}selectors: none\nlogLevel: loud\n`);
    const bad = await serve.line("the new configuration is bad; the one before it goes on to count");
    assert.deepEqual(bad.problems, [
      `${serve.configPath}:5:1: selectors: expected a list, got "none"`,
      `${serve.configPath}:6:1: logLevel: expected debug or info or warn or error, got "loud"`,
    ]);
    assert.equal(await reason(), "not-selected");
    const { text } = await get(operations, "/metrics");
    assert.match(text, /^patroni_injector_config_last_reload_successful 0$/m);
    assert.match(text, /^patroni_injector_config_reloads_total\{result="failure"\} 1$/m);

    await writeFile(serve.configPath, LOOPBACK.replace("port: 0, reg", "port: 1, reg"));
    const bound = await serve.line("these keys changed, but count only after a restart");
    assert.deepEqual(bound.needRestart, ["webhook.port"]);
    assert.equal(await reason(), "injected");
  });

  it("drains on SIGTERM: not ready, but answering, and then ends with 0", async (t) => {
    const { serve, webhook, operations } = await running(
      t,
      LOOPBACK.replace("drainSeconds: 0", "drainSeconds: 2"),
    );
    serve.child.kill("SIGTERM");
    await serve.line("draining");
    const { status, text } = await get(operations, "/readyz");
    assert.equal(status, 503);
    assert.deepEqual(JSON.parse(text), { status: "not ready", missing: ["not draining"] });
    assert.equal((await get(operations, "/healthz")).status, 200);
    assert.equal((await review(webhook, "late")).response.uid, "late");
    assert.deepEqual(await serve.ended(), { code: 0, stderr: "" });
    assert.equal(serve.lines.at(-1)?.msg, "stopped");
  });

  it("ends at once on a second signal, with 1", async (t) => {
    const { serve } = await running(t, LOOPBACK.replace("drainSeconds: 0", "drainSeconds: 300"));
    serve.child.kill("SIGINT");
    await serve.line("draining");
    serve.child.kill("SIGTERM");
    assert.equal((await serve.ended()).code, 1);
  });

  it("says every problem of its configuration, and ends with 1", async (t) => {
    const serve = await startServe(t, "webhook: {prot: 1}\ndrainSeconds: soon\n");
    const { code, stderr } = await serve.ended();
    assert.equal(code, 1);
    assert.deepEqual(stderr.trimEnd().split("\n"), [
      `patroni-injector serve: ${serve.configPath}:1:11: webhook.prot: unknown key; did you mean "port"?`,
      `patroni-injector serve: ${serve.configPath}:2:1: drainSeconds: expected an integer from 0 to 300, got "soon"`,
    ]);
  });

  it("does not run without a cluster that it is to register with", async (t) => {
    const serve = await startServe(t, LOOPBACK.replace("none", "full"));
    const { code, stderr } = await serve.ended();
    assert.equal(code, 1);
    assert.match(stderr, /^patroni-injector serve: no cluster: .*--kubeconfig.*\n$/);
  });

  it("says which kubeconfig it cannot read", async (t) => {
    const serve = await startServe(t, LOOPBACK, ["--kubeconfig", "/nowhere/kubeconfig"]);
    const { code, stderr } = await serve.ended();
    assert.equal(code, 1);
    assert.match(stderr, /^patroni-injector serve: kubeconfig \/nowhere\/kubeconfig: ENOENT.*\n$/);
  });

  it("says which port it cannot have", async (t) => {
    const taken = createServer().listen(0, "127.0.0.1");
    t.after(() => taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const serve = await startServe(t, LOOPBACK.replace("port: 0, reg", `port: ${port}, reg`));
    const { code, stderr } = await serve.ended();
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^patroni-injector serve: webhook: cannot listen on 127\.0\.0\.1, port \d+: .*EADDRINUSE.*\n$/,
    );
  });
});
