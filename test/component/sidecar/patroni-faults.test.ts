import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import type { ServerOptions } from "node:https";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Authority, newAuthority } from "../../cluster/authority.ts";
import { type Answer, body, PRIMARY, REPLICA, ScriptedMember, SYSTEM } from "./scripted-member.ts";
import { said, until, World } from "./world.ts";

let hosts = 0;

async function member(t: TestContext, answer: Answer, tls?: ServerOptions): Promise<ScriptedMember> {
  const made = await new ScriptedMember("pg-0", `127.23.0.${++hosts}`, tls).start();
  t.after(() => made.stop());
  made.answer = answer;
  return made;
}

const json = { "content-type": "application/json" };

describe("answers of Patroni", { concurrency: 3 }, () => {
  const PRIMARIES: readonly (readonly [string, Answer])[] = [
    [
      "2.1",
      {
        code: 200,
        body: {
          state: "running",
          postmaster_start_time: "2026-11-21 06:51:07.733184+00:00",
          role: "master",
          server_version: 130021,
          xlog: { location: 67108960 },
          timeline: 3,
          database_system_identifier: SYSTEM,
          patroni: { version: "2.1.0", scope: "pg" },
        },
      },
    ],
    [
      "3.x",
      {
        code: 200,
        body: body("master", "running", {
          dcs_last_seen: 1,
          patroni: { version: "3.3.2", scope: "pg", name: "pg-0" },
        }),
      },
    ],
    ["4.x", PRIMARY],
    [
      "HTTP/1.0, closed without a length",
      (_, { socket }) =>
        void socket?.end(
          `HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(body("primary", "running"))}`,
        ),
    ],
    [
      "a body in small pieces",
      async (_, response) => {
        response.writeHead(200, json);
        for (const piece of JSON.stringify(body("primary", "running")).match(/.{1,20}/g) ?? []) {
          response.write(piece);
          await delay(5);
        }
        response.end();
      },
    ],
  ];
  for (const [what, answer] of PRIMARIES) {
    test(`${what}: published`, async (t) => {
      const world = await World.open(t);
      const primary = await member(t, answer);
      await world.sidecar(primary);
      await world.recorder.shows([primary.host], 10_000);
    });
  }

  /** After each of these an address that stands there stays, and no new one is published. */
  const UNCLEAR: readonly (readonly [string, Answer])[] = [
    ["no answer", () => undefined],
    ["a body that never ends", (_, response) => void response.writeHead(200, json).write("{")],
    [
      "a huge body",
      (_, response) =>
        void response
          .writeHead(200, json)
          .end(JSON.stringify({ ...body("primary", "running"), more: "x".repeat(300_000) })),
    ],
    ["no JSON", (_, response) => void response.writeHead(200, json).end("<html>")],
    [
      "JSON of another shape",
      (_, response) => void response.writeHead(200, json).end('["primary","running"]'),
    ],
    ["a connection that breaks", (_, { socket }) => void socket?.destroy()],
    ["a broken head", (_, { socket }) => void socket?.end("HTTP/9 what\r\n\r\n")],
    ["500", { code: 500, body: {} }],
    ["a restart of PostgreSQL in place", { code: 200, body: body("primary", "starting") }],
  ];
  test("what is no proof removes nothing, and publishes nothing", async (t) => {
    const world = await World.open(t);
    const primary = await member(t, PRIMARY);
    const sidecar = await world.sidecar(primary);
    await world.recorder.shows([primary.host], 10_000);
    await sidecar.said("published"); // it was observed once more after the write
    const before = world.recorder.moments.length;
    for (const [what, answer] of UNCLEAR) {
      primary.answer = answer;
      await delay(1300);
      assert.equal(world.recorder.moments.length, before, `${what}: ${said(sidecar).join("; ")}`);
      assert.ok(sidecar.runs, what);
    }
    primary.answer = REPLICA;
    await world.recorder.shows([], 5000);
    for (const [what, answer] of UNCLEAR) {
      primary.answer = answer;
      await delay(600);
      assert.deepEqual(world.recorder.current?.addresses, [], what);
    }
    primary.answer = PRIMARY;
    await world.recorder.shows([primary.host], 5000);
  });

  test("both ports refusing connections removes the address", async (t) => {
    const world = await World.open(t);
    const primary = await member(t, PRIMARY);
    await world.sidecar(primary);
    await world.recorder.shows([primary.host], 10_000);
    await primary.stop();
    await world.recorder.shows([], 2000);
  });

  test("a lower timeline is taken when /cluster has named this member for longer than /config's ttl", async (t) => {
    const world = await World.open(t, { slice: false });
    const annotations = { "patroni-injector.io/term": `${SYSTEM}/9` };
    await world.makeSlice({ metadata: { name: "pg-primary", annotations } });
    const primary = await member(t, PRIMARY);
    primary.others.set("/config", { code: 200, body: { ttl: 3, loop_wait: 1 } });
    primary.others.set("/cluster", { code: 200, body: { members: [{ name: "pg-1", role: "leader" }] } });
    const sidecar = await world.sidecar(primary);
    await until("it is refused", () => said(sidecar).some((line) => /^not published: term/.test(line)));
    await delay(4000);
    assert.deepEqual(world.recorder.current?.addresses ?? [], [], "another is named");
    primary.others.set("/cluster", {
      code: 200,
      body: { members: [{ name: "pg-0", role: "leader", state: "running" }] },
    });
    const named = performance.now();
    const { at } = await world.recorder.shows([primary.host], 15_000);
    assert.ok(at - named > 2500, `after ${at - named} ms`);
  });
});

describe("Patroni over TLS", { concurrency: 3 }, () => {
  const authorities = Promise.all([newAuthority("patroni"), newAuthority("another")]);

  async function files(world: World, ca: Authority, client?: Authority): Promise<Record<string, string>> {
    const [caDir, clientDir] = [join(world.folder, "ca"), join(world.folder, "client")];
    await Promise.all([mkdir(caDir), mkdir(clientDir)]);
    await writeFile(join(caDir, "ca.crt"), ca.certPem);
    if (client !== undefined) {
      const { certPem, keyPem } = await client.issueClient("sidecar");
      await writeFile(join(clientDir, "tls.crt"), certPem);
      await writeFile(join(clientDir, "tls.key"), keyPem);
    }
    return {
      PATRONI_INJECTOR_PATRONI_SCHEME: "https",
      PATRONI_INJECTOR_CA_DIR: caDir,
      PATRONI_INJECTOR_CLIENT_DIR: clientDir,
    };
  }

  async function serving(ca: Authority, host: string): Promise<ServerOptions> {
    const { certPem, keyPem } = await ca.issueServer([host]);
    return { cert: certPem, key: keyPem, ca: ca.certPem };
  }

  for (const name of ["pg-0.pg-members.db.svc", "127.99.0.9"]) {
    test(`the certificate must carry ${name}; a client certificate is shown where one is asked for`, async (t) => {
      const [ca] = await authorities;
      const world = await World.open(t);
      const tls = { ...(await serving(ca, name)), requestCert: true, rejectUnauthorized: true };
      const primary = await member(t, PRIMARY, tls);
      await world.sidecar(primary, { ...(await files(world, ca, ca)), PATRONI_INJECTOR_PATRONI_NAME: name });
      await world.recorder.shows([primary.host], 10_000);
    });
  }

  const REFUSED: readonly (readonly [string, string, number])[] = [
    ["another name", "pg-1.pg-members.db.svc", 0],
    ["another authority", "pg-0.pg-members.db.svc", 1],
  ];
  for (const [what, name, signer] of REFUSED) {
    test(`a certificate of ${what} is no proof`, async (t) => {
      const all = await authorities;
      const world = await World.open(t);
      const primary = await member(t, PRIMARY, await serving(all[signer] as Authority, name));
      const settings = {
        ...(await files(world, all[0])),
        PATRONI_INJECTOR_PATRONI_NAME: "pg-0.pg-members.db.svc",
      };
      const sidecar = await world.sidecar(primary, settings);
      await until("it is told", () =>
        said(sidecar).some((line) => /^waiting for Patroni: .*certificate|altnames/.test(line)),
      );
      assert.deepEqual(world.recorder.current?.addresses, []);
    });
  }

  test("Secrets that come after the pod has started are read", async (t) => {
    const [ca] = await authorities;
    const world = await World.open(t);
    const name = "pg-0.pg-members.db.svc";
    const primary = await member(t, PRIMARY, await serving(ca, name));
    const settings = await files(world, ca);
    await writeFile(join(settings.PATRONI_INJECTOR_CA_DIR ?? "", "ca.crt"), (await authorities)[1].certPem);
    const sidecar = await world.sidecar(primary, { ...settings, PATRONI_INJECTOR_PATRONI_NAME: name });
    await until("it waits", () => said(sidecar).some((line) => /^waiting for Patroni/.test(line)));
    await writeFile(join(settings.PATRONI_INJECTOR_CA_DIR ?? "", "ca.crt"), ca.certPem);
    await world.recorder.shows([primary.host], 8000);
  });
});
