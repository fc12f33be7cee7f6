import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, test } from "node:test";
import { type Driven, drive, type Load, withConnections } from "../../../bench/load/drive.ts";
import { createAuthority, issueServerCertificate } from "../../../demo/kube-api/certificate.ts";

const HOST = "127.0.0.1";
const authority = createAuthority("Drive");
const certificate = issueServerCertificate(authority, [HOST]);
const BODY = Buffer.from('{"some":"thing"}');

let server: Server | undefined;
afterEach(() => {
  server?.close().closeAllConnections();
});

async function driven(listener: RequestListener, load: Load, seconds: number): Promise<Driven> {
  server = createServer(certificate, listener);
  server.listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { host: HOST, port, path: "/mutate", ca: authority.pem };
  return withConnections(endpoint, load.connections, (connections) =>
    drive(connections, { endpoint, body: BODY }, load, seconds),
  );
}

/** Reads the whole request, then sends its body back in `pieces` writes. */
const echo =
  (pieces = 1): RequestListener =>
  (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      response.writeHead(200, { "Content-Length": body.length });
      const size = Math.ceil(body.length / pieces);
      for (let start = 0; start < body.length; start += size)
        response.write(body.subarray(start, start + size));
      response.end();
    });
  };

/** An echo that answers nothing between `from` and `until`, in milliseconds from the first request. */
function stalling(from: number, until: number): RequestListener {
  let first: number | undefined;
  return (request, response) => {
    first ??= performance.now();
    const now = performance.now() - first;
    if (now < from || now >= until) echo()(request, response);
    else setTimeout(() => echo()(request, response), until - now);
  };
}

const late = ({ latencies }: Driven, ms: number) => latencies.sorted().filter((value) => value >= ms).length;

describe("a closed loop", () => {
  test("keeps every connection busy, and counts what was answered", async () => {
    let requests = 0;
    const count: RequestListener = (request, response) => {
      requests++;
      echo(3)(request, response);
    };
    const result = await driven(count, { kind: "closed", connections: 4 }, 0.5);
    assert.equal(result.latencies.count, requests);
    assert.ok(requests > 8, `${requests} requests`);
  });
});

describe("a paced load", () => {
  const load = { kind: "paced", connections: 2, perSecond: 200 } as const;

  test("sends as many as are due, no more and no fewer", async () => {
    const { latencies, elapsedSeconds } = await driven(echo(), load, 0.5);
    assert.equal(latencies.count, 100);
    assert.ok(elapsedSeconds > 0.45 && elapsedSeconds < 2, `${elapsedSeconds} s`);
  });

  test("counts a stall for every request that was due in it, not only for those that were sent", async () => {
    const result = await driven(stalling(100, 350), load, 0.5);
    // 50 requests were due in the 250 ms; those of its first 150 ms waited for 100 ms and longer.
    assert.ok(late(result, 100) >= 25, `${late(result, 100)} requests of ${result.latencies.count}`);
  });
});

describe("a measurement fails", () => {
  const load = { kind: "paced", connections: 1, perSecond: 100 } as const;
  const cases: readonly [what: string, listener: RequestListener, message: RegExp][] = [
    [
      "on an answer that is not 200",
      (_, response) => response.writeHead(503, { "Content-Length": 0 }).end(),
      /503/,
    ],
    [
      "on a connection that breaks",
      (request) => request.socket.destroy(),
      /closed the connection|ECONNRESET/,
    ],
    [
      "on an answer without a length",
      (_, response) => response.writeHead(200, { "Transfer-Encoding": "chunked" }).end("some"),
      /Content-Length/,
    ],
  ];
  for (const [what, answer, message] of cases) {
    const listener: RequestListener = (request, response) => {
      request.resume().on("end", () => answer(request, response));
    };
    test(`${what}, closed`, () =>
      assert.rejects(driven(listener, { kind: "closed", connections: 1 }, 0.2), message));
    test(`${what}, paced`, () => assert.rejects(driven(listener, load, 0.2), message));
  }
});
