import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { PatroniReload } from "../../../../src/sidecar/reload/postgres/patroni-reload.ts";

test("the DCS is looked at anew before its configuration is read, without credentials; without it, what Patroni remembers", async (t) => {
  // As Patroni does: /cluster reads the DCS, /config answers with what was read last.
  let [inDcs, remembered] = [1, 1];
  let isDcsThere = true;
  const credentials: (string | undefined)[] = [];
  const server = createServer(({ url, headers }, response) => {
    credentials.push(headers.authorization);
    if (url === "/cluster" && isDcsThere) remembered = inDcs;
    response.writeHead(url === "/cluster" && !isDcsThere ? 500 : 200).end(JSON.stringify({ remembered }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const patroni = new PatroniReload(() => ({ scheme: "http", host: "127.0.0.1", port, tls: {} }), undefined);
  inDcs = 2;
  assert.deepEqual(await patroni.configuration(), { remembered: 2 });
  [inDcs, isDcsThere] = [3, false];
  assert.deepEqual(await patroni.configuration(), { remembered: 2 });
  assert.deepEqual([...new Set(credentials)], [undefined]);
});
