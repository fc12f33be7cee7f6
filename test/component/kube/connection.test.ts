import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";
import { createAuthority } from "../../../demo/kube-api/certificate.ts";
import type { KubeApi } from "../../../demo/kube-api/server.ts";
import { connect, KubeConnection } from "../../../src/kube/connection.ts";
import { KubeError } from "../../../src/kube/error.ts";
import { asked, order, service, startConnected, startPlain, temporaryFolder } from "./support.ts";

const SERVICES = "/api/v1/namespaces/default/services";

async function failureOf(work: Promise<unknown>): Promise<KubeError> {
  const error = await work.then(
    () => assert.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof KubeError, `not a KubeError: ${error}`);
  return error;
}

/** Credentials as a pod has them: files that change under it. */
async function connectAsPod(t: TestContext, api: KubeApi) {
  const folder = await temporaryFolder(t);
  const [caFile, tokenFile] = [join(folder, "ca.crt"), join(folder, "token")];
  const write = (token: string, ca: string) =>
    Promise.all([writeFile(tokenFile, token), writeFile(caFile, ca)]);
  await write(api.tokens.issue("pod"), api.caPem);
  const connection = new KubeConnection(() => {
    const config = new KubeConfig();
    const user = { name: "pod", authProvider: { name: "tokenFile", config: { tokenFile } } };
    config.loadFromClusterAndUser({ name: "own", server: api.url, caFile, skipTLSVerify: false }, user);
    return config;
  });
  return { connection, write };
}

describe("a connection", () => {
  it("sends and receives fields that no client library knows", async (t) => {
    const { connection } = await startConnected(t);
    const body = service("x", { notYetInvented: { deep: [1, "two", null] } });
    await connection.send({ method: "POST", path: SERVICES, body });
    const found = await connection.send({ method: "GET", path: `${SERVICES}/x` });
    assert.deepEqual(found.spec, body.spec);
  });

  it("sends the body of a DELETE, and leaves the connection fit for the next request", async (t) => {
    const { connection } = await startConnected(t);
    await connection.send({ method: "POST", path: SERVICES, body: service("x") });
    const preconditions = { uid: "another" };
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
    const path = `${SERVICES}/x`;
    assert.equal((await failureOf(connection.send({ method: "DELETE", path, body }))).code, 409);
    assert.equal((await connection.send({ method: "GET", path })).kind, "Service");
  });

  it("encodes queries", async (t) => {
    const { connection } = await startConnected(t);
    await connection.send({ method: "POST", path: SERVICES, body: service("x", {}, { labels: { a: "b" } }) });
    const names = async (labelSelector: string) => {
      const { items } = await connection.send({ method: "GET", path: SERVICES, query: { labelSelector } });
      return (items as unknown[]).length;
    };
    assert.deepEqual([await names("a in (b,c),!d"), await names("a notin (b)")], [1, 0]);
  });

  it("says code, reason and message of a refusal", async (t) => {
    const { connection } = await startConnected(t);
    const error = await failureOf(connection.send({ method: "GET", path: `${SERVICES}/absent` }));
    assert.deepEqual([error.code, error.reason], [404, "NotFound"]);
    assert.match(error.message, /GET .*absent: 404 .*"absent" not found/);
  });

  it("says how long to stay away", async (t) => {
    const { api, connection } = await startConnected(t);
    order(api, { kind: "status", status: 429, retryAfter: 7 });
    const error = await failureOf(connection.send({ method: "GET", path: SERVICES }));
    assert.deepEqual([error.code, error.retryAfterSeconds], [429, 7]);
  });

  it("says that there was no answer, and why", async (t) => {
    const { api, connection } = await startConnected(t);
    await api.close();
    const error = await failureOf(connection.send({ method: "GET", path: SERVICES }));
    assert.equal(error.code, 0);
    assert.match(error.message, /ECONNREFUSED/);
    assert.ok(error.cause instanceof Error);
  });

  it("takes no other answer for an object, whatever its status", async (t) => {
    const bodies: readonly [code: number, body: string, expected: number][] = [
      [200, "<html>Log in</html>", 0],
      [200, "[]", 0],
      [200, "", 0],
      [503, "<html>Bad gateway</html>", 503],
      [500, "{}", 500],
    ];
    for (const [code, body, expected] of bodies) {
      const connection = await startPlain(t, (_, response) => response.writeHead(code).end(body));
      const error = await failureOf(connection.send({ method: "GET", path: "/apis" }));
      assert.equal(error.code, expected, `${code} ${body}`);
    }
  });

  it("notices an answer that breaks off", async (t) => {
    const connection = await startPlain(t, (_, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write('{"items":[', () => response.destroy());
    });
    const error = await failureOf(connection.send({ method: "GET", path: "/apis" }));
    assert.equal(error.code, 0);
    assert.match(error.message, /broke off/);
  });

  it("ends at once when its signal says so", async (t) => {
    const { api, connection } = await startConnected(t);
    order(api, { kind: "hang" });
    const signal = AbortSignal.timeout(50);
    const began = performance.now();
    const error = await failureOf(connection.send({ method: "GET", path: SERVICES, signal }));
    assert.equal(error.code, 0);
    assert.ok(performance.now() - began < 2000);
  });
});

describe("a pod's credentials", () => {
  const list = { method: "GET", path: SERVICES } as const;

  it("are read again when the token has expired", async (t) => {
    const { api } = await startConnected(t);
    const { connection, write } = await connectAsPod(t, api);
    const first = api.tokens.issue("pod");
    await write(first, api.caPem);
    await connection.send(list);
    await write(api.tokens.issue("pod"), api.caPem);
    api.tokens.expire(first);
    await connection.send(list);
  });

  it("are read again by many requests at a time", async (t) => {
    const { api } = await startConnected(t);
    const { connection, write } = await connectAsPod(t, api);
    const first = api.tokens.issue("pod");
    await write(first, api.caPem);
    await connection.send(list);
    await write(api.tokens.issue("pod"), api.caPem);
    api.tokens.expire(first);
    await Promise.all(Array.from({ length: 10 }, () => connection.send(list)));
  });

  it("are not tried for ever", async (t) => {
    const requests: string[] = [];
    const connection = await startPlain(t, (request, response) => {
      requests.push(request.url ?? "");
      response.writeHead(401).end();
    });
    assert.equal((await failureOf(connection.send(list))).code, 401);
    assert.equal(requests.length, 2);
  });

  it("include an authority that may be exchanged", async (t) => {
    const { api } = await startConnected(t);
    const { connection, write } = await connectAsPod(t, api);
    await write(api.tokens.issue("pod"), createAuthority("not this one").pem);
    assert.equal((await failureOf(connection.send(list))).code, 0);
    await write(api.tokens.issue("pod"), api.caPem);
    await connection.send(list);
  });

  it("that cannot be read are a failure like others, and are tried again", async (t) => {
    const { api, kubeconfig, connection } = await startConnected(t);
    order(api, { kind: "drop", times: 1 });
    await writeFile(kubeconfig, "}");
    assert.equal((await failureOf(connection.send(list))).code, 0);
    assert.match((await failureOf(connection.send(list))).message, /kubeconfig/);
    assert.equal(asked(api, "list", "services"), 1);
    await writeFile(kubeconfig, api.kubeconfig());
    await connection.send(list);
  });
});

describe("connect", () => {
  const bad: readonly [what: string, text: string | undefined, message: RegExp][] = [
    ["is not there", undefined, /kubeconfig .*ENOENT/],
    ["is empty", "", /kubeconfig .*config/],
    ["is no YAML", "}{", /kubeconfig .*config/],
    ["is something else", "apiVersion: v1\nkind: Service\n", /kubeconfig .*config/],
    [
      "has no current context",
      "apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n",
      /no cluster/,
    ],
  ];
  for (const [what, text, message] of bad) {
    it(`refuses a kubeconfig that ${what}`, async (t) => {
      const path = join(await temporaryFolder(t), "config");
      if (text !== undefined) await writeFile(path, text);
      assert.throws(() => connect(path), message);
    });
  }
});
