import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeApiOptions } from "../../../demo/kube-api/server.ts";
import { asString, at, type JsonObject } from "../../../src/json/value.ts";
import { Collection } from "../../../src/kube/collection.ts";
import type { KubeConnection } from "../../../src/kube/connection.ts";
import { KubeError } from "../../../src/kube/error.ts";
import { type WatchOptions, watchResource } from "../../../src/kube/watch.ts";
import { asked, bystander, FAST, order, service, startConnected, startPlain, until } from "./support.ts";

const SERVICES = "/api/v1/namespaces/default/services";

interface Interruption {
  readonly error: unknown;
  readonly pauseMs: number;
  readonly atMs: number;
}

type More = Partial<Pick<WatchOptions<unknown>, "labelSelector" | "fieldSelector" | "times">>;

/** A server with a second client that writes; a watch begins when the test says so. */
async function scene(t: TestContext, options: KubeApiOptions = {}) {
  const { api, connection } = await startConnected(t, options);
  const others = await bystander(t, api);
  const interruptions: Interruption[] = [];
  const kept = new Collection<string>((object) => asString(at(object, "spec", "externalName")) ?? "");
  const watch = (more: More = {}) => {
    const watcher = watchResource(connection, {
      path: "/api/v1/services",
      target: kept,
      times: FAST,
      onInterrupted: (error, pauseMs) => interruptions.push({ error, pauseMs, atMs: performance.now() }),
      ...more,
    });
    t.after(() => watcher.stop());
    return watcher;
  };
  return { api, connection, kept, interruptions, watch, ...writer(others) };
}

function writer(others: KubeConnection) {
  return {
    create: (name: string, value = "", labels: JsonObject = {}) =>
      others.send({
        method: "POST",
        path: SERVICES,
        body: service(name, { externalName: value }, { labels }),
      }),
    change: (name: string, value: string) =>
      others.send({
        method: "PATCH",
        path: `${SERVICES}/${name}`,
        contentType: "application/merge-patch+json",
        body: { spec: { externalName: value } },
      }),
    remove: (name: string) => others.send({ method: "DELETE", path: `${SERVICES}/${name}` }),
  };
}

const codes = (interruptions: readonly Interruption[]) =>
  interruptions.map(({ error }) => (error instanceof KubeError ? error.code : String(error)));

describe("a watch", { concurrency: true }, () => {
  it("reads what is there page by page, and follows every change", async (t) => {
    const { api, kept, watch, create, change, remove, interruptions } = await scene(t);
    for (let index = 0; index < 600; index++) await create(`s${index}`, `${index}`);
    const watcher = watch({ times: { ...FAST, watchMs: 30_000 } });
    assert.equal(watcher.synced(), false);
    await until("synced", () => watcher.synced());
    assert.equal(kept.size, 600);
    assert.equal(asked(api, "list", "services"), 2);

    await until("watching", () => api.openWatches === 1);
    await create("new", "1");
    await change("s7", "changed");
    await remove("s8");
    await until("the last change", () => kept.get("default", "s8") === undefined);
    assert.deepEqual([kept.get("default", "new"), kept.get("default", "s7")], ["1", "changed"]);
    assert.deepEqual(interruptions, []);
  });

  it("sees only what it selects, in lists and events", async (t) => {
    const { kept, watch, create } = await scene(t);
    await create("a", "", { keep: "yes" });
    await create("b", "", { keep: "no" });
    const watcher = watch({ labelSelector: "keep=yes" });
    await until("synced", () => watcher.synced());
    await create("c", "", { keep: "no" });
    await create("d", "", { keep: "yes" });
    await until("d", () => kept.get("default", "d") !== undefined);
    assert.equal(kept.size, 2);
  });

  it("goes on behind the last event when its time is over, without a word and without a list", async (t) => {
    const { api, kept, watch, create, interruptions } = await scene(t);
    const watcher = watch({ times: { ...FAST, graceMs: 20_000 } });
    await until("synced", () => watcher.synced());
    await until("a third watch", () => asked(api, "watch", "services") >= 3);
    await create("late");
    await until("late", () => kept.get("default", "late") !== undefined);
    assert.deepEqual(interruptions, []);
    assert.equal(asked(api, "list", "services"), 1);
  });

  it("goes on behind the last event when the connection drops: nothing comes twice", async (t) => {
    const { api, connection, create } = await scene(t);
    const seen: string[] = [];
    const failures: unknown[] = [];
    const target = {
      reduce: () => undefined,
      replace: () => undefined,
      apply: (type: string, object: JsonObject) =>
        void seen.push(`${type} ${at(object, "metadata", "name")}`),
    };
    const onInterrupted = (error: unknown) => void failures.push((error as KubeError).code);
    const watcher = watchResource(connection, {
      path: "/api/v1/services",
      target,
      times: FAST,
      onInterrupted,
    });
    t.after(() => watcher.stop());
    await until("watching", () => watcher.synced() && api.openWatches === 1);
    await create("before");
    await until("before", () => seen.length === 1);
    order(api, { kind: "drop", times: 1 }, { verb: "watch" });
    await create("meanwhile");
    await until("meanwhile", () => seen.length > 1);
    assert.deepEqual(seen, ["ADDED before", "ADDED meanwhile"]);
    assert.deepEqual(failures, [0]);
    assert.equal(asked(api, "list", "services"), 1);
  });

  it("lists again when what it could go on from is gone, and misses nothing", async (t) => {
    const { api, kept, watch, create, change, remove, interruptions } = await scene(t);
    for (const name of ["stays", "changes", "goes"]) await create(name, "1");
    const watcher = watch({ times: { ...FAST, watchMs: 30_000 } });
    await until("watching", () => watcher.synced() && api.openWatches === 1);

    const refused = order(api, { kind: "status", status: 503 }, { verb: "watch" });
    order(api, { kind: "drop", times: 1 }, { verb: "watch" });
    await until("refused", () => refused.hits > 0);
    await create("comes", "1");
    await change("changes", "2");
    await remove("goes");
    api.compact();
    refused.remove();

    await until("the list", () => kept.get("default", "comes") === "1");
    assert.equal(kept.get("default", "goes"), undefined);
    assert.equal(kept.get("default", "changes"), "2");
    assert.equal(kept.get("default", "stays"), "1");
    assert.equal(codes(interruptions).at(-1), 410);
    assert.equal(watcher.synced(), true);
  });

  it("lists again when it is told 410 in its stream", async (t) => {
    const { api, kept, watch, create } = await scene(t);
    const watcher = watch({ times: { ...FAST, watchMs: 30_000 } });
    await until("watching", () => watcher.synced() && api.openWatches === 1);
    order(api, { kind: "watch-gone", times: 1 });
    await until("a second list", () => asked(api, "list", "services") === 2);
    await create("after");
    await until("after", () => kept.get("default", "after") !== undefined);
  });

  it("begins a list again whose next page is gone", async (t) => {
    const { api, connection, create } = await scene(t);
    for (let index = 0; index < 600; index++) await create(`s${index}`);
    const reduced: string[] = [];
    const target = {
      reduce(object: JsonObject) {
        const name = asString(at(object, "metadata", "name")) ?? "";
        if (reduced.push(name) === 1) order(api, { kind: "status", status: 410, times: 1 }, { verb: "list" });
        return name;
      },
      replace(names: readonly string[]) {
        listed = names.length;
      },
      apply: () => undefined,
    };
    let listed = 0;
    const codesSeen: unknown[] = [];
    const onInterrupted = (error: unknown) => void codesSeen.push((error as KubeError).code);
    const watcher = watchResource(connection, {
      path: "/api/v1/services",
      target,
      times: FAST,
      onInterrupted,
    });
    t.after(() => watcher.stop());
    await until("synced", () => watcher.synced());
    assert.deepEqual(codesSeen, [410]);
    assert.deepEqual([reduced.length, listed], [500 + 600, 600]);
  });

  it("cuts a watch that has gone silent, and lists what it missed, in bounded time", async (t) => {
    const { api, kept, watch, create, interruptions } = await scene(t);
    const watcher = watch();
    await until("watching", () => watcher.synced() && api.openWatches === 1);
    order(api, { kind: "watch-silent", times: 1 });
    const began = performance.now();
    await create("unheard");
    await until("unheard", () => kept.get("default", "unheard") !== undefined);
    // Asked for one second, then the grace and a pause: the rest is for a busy machine.
    assert.ok(performance.now() - began < 4000, `${performance.now() - began} ms`);
    assert.deepEqual(codes(interruptions), [0]);
    assert.equal(asked(api, "list", "services"), 2);
  });

  it("waits for as long as the server asks it to", async (t) => {
    const { api, watch, interruptions } = await scene(t);
    order(api, { kind: "status", status: 429, retryAfter: 1, times: 1 }, { verb: "list" });
    const watcher = watch();
    await until("synced", () => watcher.synced());
    const [first] = interruptions;
    assert.ok(first !== undefined && first.pauseMs >= 1000);
    assert.ok(performance.now() - first.atMs >= 990);
  });

  it("waits for a server that is away, with growing pauses, and catches up when it comes", async (t) => {
    const { api, kept, watch, create, interruptions } = await scene(t);
    const away = order(api, { kind: "drop" });
    const watcher = watch();
    await until("some tries", () => away.hits >= 6);
    assert.equal(watcher.synced(), false);
    await create("there");
    away.remove();
    await until("synced", () => watcher.synced());
    assert.equal(kept.get("default", "there"), "");
    const pauses = interruptions.map(({ pauseMs }) => pauseMs);
    assert.ok((pauses[4] ?? 0) > 2 * (pauses[0] ?? 0), `pauses ${pauses.map(Math.round)}`);
  });

  it("does not hammer a server that ends every watch at once, with or without a reason", async (t) => {
    const { api, watch } = await scene(t);
    const gone = order(api, { kind: "watch-gone" });
    let ended = 0;
    const plain = await startPlain(t, ({ url = "" }, response) => {
      if (url.includes("watch=true")) ended++;
      const list = { metadata: { resourceVersion: "1" }, items: [] };
      response.end(url.includes("watch=true") ? "" : JSON.stringify(list));
    });
    const target = new Collection(() => true);
    const other = watchResource(plain, { path: "/x", target, times: FAST, onInterrupted: () => undefined });
    t.after(() => other.stop());
    const watcher = watch();
    await until("synced", () => watcher.synced() && other.synced());
    await sleep(1000);
    // At the very fastest 10 + 20 + 40 + 80 ms, then 100 ms each.
    for (const watches of [gone.hits, ended])
      assert.ok(watches > 0 && watches <= 15, `${watches} in a second`);
  });

  it("says that it may not read, and goes on asking", async (t) => {
    const { api, watch } = await scene(t);
    const refused = order(api, { kind: "status", status: 403 }, { verb: "list" });
    const watcher = watch();
    await until("forbidden", () => watcher.forbidden());
    assert.equal(watcher.synced(), false);
    refused.remove();
    await until("synced", () => watcher.synced());
    assert.equal(watcher.forbidden(), false);
  });
});

describe("a watch whose target throws", () => {
  const failing = (t: TestContext, names: readonly string[]) => {
    const rejections: unknown[] = [];
    const listener = (reason: unknown) => void rejections.push(reason);
    process.on("unhandledRejection", listener);
    t.after(() => void process.off("unhandledRejection", listener));
    const seen: string[] = [];
    const take = (object: JsonObject) => {
      const name = asString(at(object, "metadata", "name")) ?? "";
      if (names.includes(name)) throw new Error(`cannot take ${name}`);
      seen.push(name);
      return name;
    };
    const target = {
      reduce: take,
      replace: () => undefined,
      apply: (_: string, object: JsonObject) => void take(object),
    };
    return { rejections, seen, target };
  };

  it("reports it, and goes on with what comes after", async (t) => {
    const { connection, create } = await scene(t);
    const { rejections, seen, target } = failing(t, ["bad-in-list", "bad-event"]);
    for (const name of ["a", "bad-in-list", "c"]) await create(name);
    const errors: unknown[] = [];
    const onInterrupted = (error: unknown) => void errors.push(error);
    const watcher = watchResource(connection, {
      path: "/api/v1/services",
      target,
      times: FAST,
      onInterrupted,
    });
    t.after(() => watcher.stop());
    await until("synced", () => watcher.synced());
    await create("bad-event");
    await create("good-event");
    await until("good-event", () => seen.includes("good-event"));
    assert.deepEqual(seen, ["a", "c", "good-event"]);
    assert.deepEqual(errors.map(String), ["Error: cannot take bad-in-list", "Error: cannot take bad-event"]);
    assert.deepEqual(rejections, []);
  });

  it("goes on even where nobody can be told", async (t) => {
    const { api, connection, create } = await scene(t);
    const { rejections, seen, target } = failing(t, ["bad"]);
    order(api, { kind: "status", status: 500, times: 1 }, { verb: "list" });
    const onInterrupted = () => {
      throw new Error("deaf");
    };
    const watcher = watchResource(connection, {
      path: "/api/v1/services",
      target,
      times: FAST,
      onInterrupted,
    });
    t.after(() => watcher.stop());
    await until("synced", () => watcher.synced());
    await create("bad");
    await create("good");
    await until("good", () => seen.includes("good"));
    assert.deepEqual(rejections, []);
  });
});

describe("stopping a watch", () => {
  const stops: readonly [
    what: string,
    begin: (scene: Awaited<ReturnType<typeof scenery>>) => Promise<unknown>,
  ][] = [
    [
      "while it streams",
      ({ api, watcher }) => until("open", () => watcher.synced() && api.openWatches === 1),
    ],
    [
      "while it lists",
      async ({ api }) => {
        const hangs = order(api, { kind: "hang" });
        await until("asked", () => hangs.hits > 0);
      },
    ],
    [
      "while it pauses",
      async ({ api, interruptions }) => {
        order(api, { kind: "status", status: 429, retryAfter: 60 });
        order(api, { kind: "drop", times: 1 }, { verb: "watch" });
        await until("pausing", () => interruptions.some(({ pauseMs }) => pauseMs >= 60_000));
      },
    ],
  ];
  async function scenery(t: TestContext) {
    const made = await scene(t);
    const first = order(made.api, { kind: "latency", ms: 30 });
    const watcher = made.watch({ times: { ...FAST, watchMs: 30_000 } });
    t.after(() => first.remove());
    return { ...made, watcher };
  }
  for (const [what, begin] of stops) {
    it(`ends it at once ${what}`, async (t) => {
      const prepared = await scenery(t);
      await begin(prepared);
      const began = performance.now();
      await prepared.watcher.stop();
      assert.ok(performance.now() - began < 1000, `${performance.now() - began} ms`);
      await until("no watch is open", () => prepared.api.openWatches === 0);
    });
  }

  it("leaves the target alone from then on, even with what has come already", async (t) => {
    const event = (name: string) => `${JSON.stringify({ type: "ADDED", object: { metadata: { name } } })}\n`;
    const connection = await startPlain(t, ({ url = "" }, response) => {
      if (url.includes("watch=true")) response.write(["first", "second", "third"].map(event).join(""));
      else response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items: [] }));
    });
    const stopped = Promise.withResolvers<void>();
    const seen: string[] = [];
    const target = {
      reduce: () => undefined,
      replace: () => undefined,
      apply(_: string, object: JsonObject) {
        seen.push(asString(at(object, "metadata", "name")) ?? "");
        stopped.resolve(watcher.stop());
      },
    };
    const onInterrupted = () => undefined;
    const watcher = watchResource(connection, { path: "/x", target, times: FAST, onInterrupted });
    await stopped.promise;
    assert.deepEqual(seen, ["first"]);
  });
});
