import { request } from "node:https";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject } from "../../src/json/value.ts";
import type { Contender } from "./contender.ts";

const LOG_PATIENCE_MS = 3_000;

/**
 * Makes sure, with an ordinary client, that a contender does what it is measured for: the yardsticks answer, the injector
 * patches the pod and logs that it did.
 *
 * @throws Error with what it answered instead
 */
export async function verify(contender: Contender, body: Buffer): Promise<void> {
  const answer = await ask(contender, body);
  if (contender.log === undefined) return;
  const uid = String(at(JSON.parse(body.toString()), "request", "uid"));
  const response = at(answer, "response") as JsonObject | undefined;
  if (response?.uid !== uid || response.allowed !== true || response.patchType !== "JSONPatch") {
    throw new Error(`${contender.name} did not patch the pod: ${JSON.stringify(answer)}`);
  }
  const deadline = performance.now() + LOG_PATIENCE_MS;
  while (!(await contender.log.text()).includes(uid)) {
    if (performance.now() > deadline) throw new Error(`${contender.name} did not log the review ${uid}`);
    await delay(20);
  }
}

function ask({ name, endpoint: { host, port, path, ca } }: Contender, body: Buffer): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", "Content-Length": body.length };
    const outgoing = request({ host, port, path, ca, headers, method: "POST", agent: false });
    outgoing.on("error", reject);
    outgoing.on("response", async (incoming) => {
      const received = await text(incoming);
      if (incoming.statusCode === 200) resolve(JSON.parse(received));
      else reject(new Error(`${name} answered ${incoming.statusCode}: ${received}`));
    });
    outgoing.end(body);
  });
}
