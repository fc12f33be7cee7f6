import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { Log } from "../../../../src/sidecar/log.ts";
import { listenOnSocket, listenSecurely } from "../../../../src/sidecar/reload/http/listeners.ts";
import { type Authority, type KeyedCertificate, newAuthority } from "../../../cluster/authority.ts";
import { MountedVolume } from "../../../services/rig/volume.ts";
import { freePort, until } from "../world.ts";

const POD = "pg-0.pg-headless.db.svc";
let authority: Authority;
let first: KeyedCertificate;
let second: KeyedCertificate;

before(async () => {
  authority = await newAuthority("test");
  [first, second] = await Promise.all([authority.issueServer([POD]), authority.issueServer([POD])]);
});

const files = ({ certPem, keyPem }: KeyedCertificate) => ({ "tls.crt": certPem, "tls.key": keyPem });

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "listeners-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** What answers, and with which certificate. */
function call(
  port: number,
  host = "127.0.0.1",
  agent = new Agent(),
): Promise<{ text: string; serial: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent, ca: authority.certPem, servername: POD }, (response) => {
      const { serialNumber: serial }: PeerCertificate = (response.socket as TLSSocket).getPeerCertificate();
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ text, serial }));
    });
    sent.on("error", reject).end();
  });
}

async function listening(t: TestContext, tlsDir: string) {
  const port = await freePort();
  const lines: string[] = [];
  const log = new Log("info", (line) => void lines.push(line));
  const listener = listenSecurely(port, tlsDir, (_, response) => void response.end("hello"), log);
  t.after(() => listener.close());
  return { port, lines };
}

test("until there is a certificate the listener is closed; then it serves on every address of the pod", async (t) => {
  const tlsDir = join(await folder(t), "tls");
  await mkdir(tlsDir);
  const { port } = await listening(t, tlsDir);
  await assert.rejects(call(port), { code: "ECONNREFUSED" });
  await MountedVolume.make(tlsDir, files(first));
  await until("the listener", () =>
    call(port).then(
      () => true,
      () => false,
    ),
  );
  for (const host of ["127.0.0.1", "127.0.0.9", "::1"]) assert.equal((await call(port, host)).text, "hello");
});

test("another certificate is taken up, and open connections survive it", async (t) => {
  const volume = await MountedVolume.make(join(await folder(t), "tls"), files(first));
  const { port, lines } = await listening(t, volume.folder);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  await until("the listener", () =>
    call(port).then(
      () => true,
      () => false,
    ),
  );
  const before = await call(port, "127.0.0.1", agent);
  await volume.swap({ ...files(second), "tls.key": first.keyPem });
  await until("the mismatch to be told", () => lines.some((line) => line.includes("cannot be used")));
  assert.equal((await call(port)).serial, before.serial, "the certificate before goes on to count");
  await volume.swap(files(second));
  await until("the other certificate", async () => (await call(port)).serial !== before.serial);
  assert.equal((await call(port, "127.0.0.1", agent)).text, "hello");
});

test("a certificate that is taken away goes on to count; one that is no certificate too", async (t) => {
  const volume = await MountedVolume.make(join(await folder(t), "tls"), files(first));
  const { port, lines } = await listening(t, volume.folder);
  await until("the listener", () =>
    call(port).then(
      () => true,
      () => false,
    ),
  );
  await volume.swap({ "tls.crt": "nonsense", "tls.key": "nonsense" });
  await until("it to be told", () => lines.some((line) => line.includes("cannot be used")));
  await volume.swap({});
  assert.equal((await call(port)).text, "hello");
});

test("the socket without authentication is for its owner alone, and one that was left behind is no hindrance", async (t) => {
  const path = join(await folder(t), "socket");
  await writeFile(path, "of a process that is gone");
  const log = new Log("error");
  const listener = listenOnSocket(path, (_, response) => void response.end("hello"), log);
  t.after(() => listener.close());
  await until("the socket", async () => (await stat(path)).isSocket());
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const text = await new Promise((resolve, reject) => {
    plainRequest({ socketPath: path }, (response) => response.on("data", (chunk) => resolve(String(chunk))))
      .on("error", reject)
      .end();
  });
  assert.equal(text, "hello");
});
