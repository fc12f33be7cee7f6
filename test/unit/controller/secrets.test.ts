import assert from "node:assert/strict";
import { test } from "node:test";
import type { Objects } from "../../../src/controller/objects.ts";
import { Secrets } from "../../../src/controller/observer/secrets.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { KubeError } from "../../../src/kube/error.ts";

const secret = (text: string): JsonObject => ({ data: { "ca.crt": Buffer.from(text).toString("base64") } });

/** Secrets of which the API server says what `answer` says, and a clock. */
function reading(
  t: { mock: { method: typeof import("node:test").mock.method } },
  answer: () => JsonObject | undefined,
) {
  const state = { now: 1000, reads: 0 };
  t.mock.method(performance, "now", () => state.now);
  const objects: Pick<Objects, "read"> = {
    async read() {
      state.reads++;
      return answer();
    },
  };
  const secrets = new Secrets(objects as Objects);
  const take = async () => (await secrets.take("db", "pg-ca", ["ca.crt"]))["ca.crt"].toString();
  return { state, secrets, take };
}

test("a Secret is read once a minute, and soon where a connection failed with it", async (t) => {
  let text = "one";
  const { state, secrets, take } = reading(t, () => secret(text));
  assert.equal(await take(), "one");
  text = "two";
  state.now += 59_000;
  assert.equal(await take(), "one");
  state.now += 2000;
  assert.equal(await take(), "two");

  text = "three";
  state.now += 1000;
  secrets.doubt("db", "pg-ca");
  assert.equal(await take(), "two", "but not with each failure");
  state.now += 4000;
  secrets.doubt("db", "pg-ca");
  assert.equal(await take(), "three");
  assert.equal(state.reads, 3);
});

const PROBLEMS: readonly (readonly [string, () => JsonObject | undefined, RegExp])[] = [
  ["absent", () => undefined, /^Secret db\/pg-ca does not exist$/],
  ["empty", () => ({}), /^Secret db\/pg-ca has no ca\.crt$/],
  [
    "forbidden",
    () => {
      throw new KubeError("GET: 403", { code: 403, reason: "Forbidden" });
    },
    /^Secret db\/pg-ca may not be read: the controller needs "get" on it \(the chart's rbac\.patroniSecrets\)$/,
  ],
  [
    "not to be had",
    () => {
      throw new KubeError("GET: 500", { code: 500 });
    },
    /^GET: 500$/,
  ],
];
for (const [what, answer, message] of PROBLEMS) {
  test(`a Secret that is ${what} is said to be so, and is looked for again within seconds`, async (t) => {
    const { state, take } = reading(t, answer);
    await assert.rejects(take, { message });
    state.now += 4000;
    await assert.rejects(take, { message });
    assert.equal(state.reads, 1);
    state.now += 1000;
    await assert.rejects(take, { message });
    assert.equal(state.reads, 2);
  });
}
