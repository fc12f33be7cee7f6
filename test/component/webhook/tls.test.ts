import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { before, describe, it, type TestContext } from "node:test";
import { type ConnectionOptions, connect } from "node:tls";
import { pino } from "pino";
import { type Authority, issueAuthority } from "../../../src/certificates/issue.ts";
import type { ServingCertificate } from "../../../src/certificates/source.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookServer, useCertificate } from "../../../src/webhook/server.ts";
import { issueClient } from "../../support/client-certificate.ts";
import { loopbackCertificate } from "./certificate.ts";

let certificate: ServingCertificate;
let [clients, strangers]: Authority[] = [];
before(async () => {
  const validity = { from: new Date(), days: 1 };
  certificate = await loopbackCertificate();
  [clients, strangers] = await Promise.all(
    [1, 2].map((number) => issueAuthority(`clients ${number}`, validity)),
  );
});

async function started(
  t: TestContext,
  clientCaPem?: string,
  served: ServingCertificate | null = certificate,
) {
  const logger = pino({ level: "silent" });
  const server = createWebhookServer((_, response) => response.end("ok"), served ?? undefined, {
    logger,
    metrics: createMetrics(),
    clientCaPem,
  });
  t.after(() => server.close().closeAllConnections());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** The protocol and cipher that a client with these options comes to. Rejects where there is no handshake. */
async function handshake(port: number, options: ConnectionOptions): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", ca: certificate.caPem, ...options });
  try {
    await once(socket, "secureConnect");
    return `${socket.getProtocol()} ${socket.getCipher().standardName}`;
  } finally {
    socket.destroy();
  }
}

function get(port: number, client: { cert?: string; key?: string } = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(
      { port, host: "127.0.0.1", ca: certificate.caPem, agent: false, ...client },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    call.on("error", reject);
    call.end();
  });
}

describe("the TLS policy", () => {
  const ACCEPTED: readonly (readonly [ConnectionOptions, RegExp])[] = [
    [{}, /^TLSv1\.3 TLS_AES_/],
    [{ maxVersion: "TLSv1.2" }, /^TLSv1\.2 TLS_ECDHE_RSA_WITH_AES_(128|256)_GCM/],
    [{ maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-CHACHA20-POLY1305" }, /^TLSv1\.2 .*CHACHA20/],
  ];
  for (const [options, means] of ACCEPTED) {
    it(`speaks ${means.source}`, async (t) => {
      const { port } = await started(t);
      assert.match(await handshake(port, options), means);
    });
  }

  const REFUSED: Readonly<Record<string, ConnectionOptions>> = {
    "TLS 1.1": { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
    "a key exchange without forward secrecy": { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256" },
    CBC: { maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-SHA256" },
  };
  for (const [what, options] of Object.entries(REFUSED)) {
    it(`refuses ${what}`, async (t) => {
      const { port } = await started(t);
      await assert.rejects(handshake(port, options), /alert|handshake|protocol|hang up|ECONNRESET/i);
    });
  }

  it("has no handshake to offer before there is a certificate, and then does without a restart", async (t) => {
    const { server, port } = await started(t, undefined, null);
    await assert.rejects(handshake(port, {}));
    useCertificate(server, certificate);
    assert.match(await handshake(port, {}), /TLSv1\.3/);
  });
});

describe("webhook.clientCA", () => {
  it("asks nobody for a certificate without it", async (t) => {
    const { port } = await started(t);
    assert.equal(await get(port), 200);
  });

  it("refuses who has none, and who has another's", async (t) => {
    const { port } = await started(t, clients?.certPem);
    assert.equal(await get(port, await issueClient(clients as Authority)), 200);
    await assert.rejects(get(port));
    await assert.rejects(get(port, await issueClient(strangers as Authority)));
  });

  it("goes on after a rotation of the serving certificate, and takes other authorities then", async (t) => {
    const { server, port } = await started(t, clients?.certPem);
    useCertificate(server, certificate, strangers?.certPem);
    assert.equal(await get(port, await issueClient(strangers as Authority)), 200);
    await assert.rejects(get(port, await issueClient(clients as Authority)));
  });
});
