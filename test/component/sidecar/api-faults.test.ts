import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultOrder } from "../../../demo/kube-api/faults.ts";
import { PRIMARY, REPLICA, ScriptedMember } from "./scripted-member.ts";
import { freePort, NAMESPACE, SERVICE, said, textAt, until, World } from "./world.ts";

let hosts = 0;

/** A primary beside a sidecar, and the API server's faults for that sidecar alone. */
async function primary(t: TestContext, _world: World): Promise<ScriptedMember> {
  const member = await new ScriptedMember("pg-0", `127.22.0.${++hosts}`).start();
  t.after(() => member.stop());
  member.answer = PRIMARY;
  return member;
}

const update = { verb: "update" } as const;
const audited = (world: World, verb: string) =>
  world.api.audit.entries.filter(
    (entry) => entry.verb === verb && entry.resource === "endpointslices.discovery.k8s.io",
  );

describe("faults of the API server", { concurrency: 3 }, () => {
  const OVERCOME: readonly (readonly [string, readonly FaultOrder[]])[] = [
    ["409 at a write", [{ kind: "status", status: 409, times: 2, match: update }]],
    ["an answer to a write that is lost", [{ kind: "drop-after-write", times: 1, match: update }]],
    ["a write that hangs", [{ kind: "hang", times: 1, match: update }]],
    ["500 at reads and writes", [{ kind: "status", status: 500, times: 4 }]],
    ["connections that break", [{ kind: "drop", times: 4 }]],
    ["410 in every watch", [{ kind: "watch-gone", times: 3 }]],
    ["watches that say nothing", [{ kind: "watch-silent" }]],
  ];
  for (const [what, faults] of OVERCOME) {
    test(`${what} does not keep the primary from being published`, async (t) => {
      const world = await World.open(t);
      const member = await primary(t, world);
      const user = world.userOf(member);
      for (const fault of faults) world.api.faults.add({ ...fault, match: { ...fault.match, user } });
      await world.sidecar(member);
      await world.recorder.shows([member.host], 10_000);
      assert.deepEqual(world.recorder.violations, []);
    });
  }

  test("after a lost answer it does not rest before a write of its own is answered", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    world.api.faults.add({
      kind: "drop-after-write",
      times: 1,
      match: { ...update, user: world.userOf(member) },
    });
    await world.sidecar(member);
    const attempt = () => JSON.stringify(world.slice.metadata).includes('"patroni-injector.io/attempt":"1"');
    await until("the attempt is raised", attempt);
    assert.deepEqual(
      audited(world, "update").map(({ code }) => code),
      [0, 200],
    );
  });

  test("401 is tried once again, in case the token was renewed just now, before anything is told", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const user = world.userOf(member);
    for (const verb of ["get", "update"])
      world.api.faults.add({ kind: "status", status: 401, times: 1, match: { verb, user } });
    const sidecar = await world.sidecar(member);
    await world.recorder.shows([member.host], 10_000);
    assert.equal(
      said(sidecar).some((line) => /token/.test(line)),
      false,
    );
    const [refused, again] = audited(world, "get");
    assert.deepEqual([refused?.code, again?.code], [401, 200]);
  });

  test("a renewed token is read from its file", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const sidecar = await world.sidecar(member);
    await sidecar.said("published");
    world.api.tokens.expireUser(world.userOf(member));
    await writeFile(join(world.tokenDir(member), "token"), world.api.tokens.issue(world.userOf(member)));
    member.answer = REPLICA;
    await world.recorder.shows([], 3000);
    assert.equal(
      said(sidecar).some((line) => /token/.test(line)),
      false,
    );
  });

  test("an expired token is told plainly, and its renewal noticed", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    await world.writeToken(member);
    const sidecar = await world.sidecar(member, {});
    await world.recorder.shows([member.host], 10_000);
    world.api.tokens.expireUser(world.userOf(member));
    member.answer = REPLICA;
    const text = `cannot get endpointslices ${NAMESPACE}/${SERVICE}: the API server does not accept this pod's token`;
    await until("it is told", () => said(sidecar).some((line) => line.startsWith(text)));
    await world.writeToken(member);
    await world.recorder.shows([], 8000);
  });

  for (const [verb, word] of [
    ["get", "get"],
    ["update", "update"],
    ["watch", "watch"],
  ] as const) {
    test(`403 at ${verb} is told once, with what is missing`, async (t) => {
      const world = await World.open(t);
      const member = await primary(t, world);
      world.api.faults.add({ kind: "status", status: 403, match: { verb, user: world.userOf(member) } });
      const sidecar = await world.sidecar(member);
      const text = `permission missing: this pod's ServiceAccount may not ${word} endpointslices ${NAMESPACE}/${SERVICE}`;
      const told = () => said(sidecar).filter((line) => line.startsWith(text));
      await until("it is told", () => told().length > 0);
      await delay(1000);
      assert.equal(told().length, 1);
      if (verb === "watch") await world.recorder.shows([member.host], 8000);
    });
  }

  test("429 is not asked again before Retry-After is over, whatever the watch says", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const user = world.userOf(member);
    world.api.faults.add({
      kind: "status",
      status: 429,
      retryAfter: 2,
      times: 1,
      match: { verb: "get", user },
    });
    await world.sidecar(member);
    await until("it was asked to wait", () => audited(world, "get").some(({ code }) => code === 429));
    await world.client.replace(
      `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/${SERVICE}`,
      {
        ...world.slice,
        metadata: { ...(world.slice.metadata as object), labels: { touched: "true" } },
      },
    );
    await world.recorder.shows([member.host], 8000);
    const [refused, next] = audited(world, "get");
    assert.ok(refused && next);
    assert.ok(next.time - refused.time >= 1900, `asked again after ${next.time - refused.time} ms`);
  });

  test("an API server that comes after the sidecar is found", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const fault = world.api.faults.add({ kind: "drop", match: { user: world.userOf(member) } });
    const sidecar = await world.sidecar(member);
    await until("it says so", () => said(sidecar).some((line) => /^cannot get .*: no answer/.test(line)));
    fault.remove();
    await world.recorder.shows([member.host], 8000);
    await until("it says that it is over", () =>
      said(sidecar).includes(`EndpointSlice ${NAMESPACE}/${SERVICE} can be read and written again`),
    );
  });

  test("a CA that changes in its file is trusted from then on", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    await world.writeToken(member);
    const settings = { PATRONI_INJECTOR_TOKEN_DIR: join(world.folder, "early") };
    const early = { name: "early" };
    await world.writeToken(early, world.api.tokens.issue(world.userOf(member)));
    const right = world.api.caPem;
    await writeFile(join(world.tokenDir(early), "ca.crt"), "");
    const sidecar = await world.sidecar(member, settings);
    await until("it does not trust the server", () => said(sidecar).some((line) => /^cannot get/.test(line)));
    await writeFile(join(world.tokenDir(early), "ca.crt"), right);
    await world.recorder.shows([member.host], 8000);
  });

  test("a restarted sidecar adopts its entry without a write; then nothing is written", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const first = await world.sidecar(member);
    await world.recorder.shows([member.host], 10_000);
    await until("its write is answered", () => audited(world, "update").length === 1);
    first.signal("SIGKILL");
    const port = await freePort();
    const second = await world.sidecar(member, { PATRONI_INJECTOR_PORT: String(port) });
    await second.said("published already");
    await delay(1500);
    assert.equal(audited(world, "update").length, 1);
    assert.match(await textAt(port, "/metrics"), /^patroni_injector_sidecar_published 1$/m);
    assert.match(await textAt(port, "/metrics"), /^patroni_injector_sidecar_role\{role="primary"\} 1$/m);
    assert.equal(await textAt(port, "/healthz"), "ok\n");
  });

  test("a restarted sidecar removes its entry though PostgreSQL has not run since", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const first = await world.sidecar(member);
    await world.recorder.shows([member.host], 10_000);
    first.signal("SIGKILL");
    member.answer = { code: 503, body: { role: "demoted", state: "stopped", patroni: {} } };
    await world.sidecar(member);
    await world.recorder.shows([], 20_000);
  });

  test("SIGTERM removes nothing of a healthy primary; the demotion that follows does, and ends it", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    const sidecar = await world.sidecar(member);
    await world.recorder.shows([member.host], 10_000);
    const stopped = sidecar.stop(10_000);
    await delay(1000);
    assert.deepEqual(world.recorder.current?.addresses, [member.host]);
    assert.equal(sidecar.runs, true);
    member.answer = { code: 200, body: { role: "primary", state: "stopping", timeline: 1, patroni: {} } };
    await world.recorder.shows([], 1000);
    await stopped;
    assert.ok(said(sidecar).includes("sidecar stops"));
  });

  test("an address that somebody else puts there stays only if it is proven", async (t) => {
    const world = await World.open(t);
    const member = await primary(t, world);
    await world.sidecar(member);
    await world.recorder.shows([member.host], 10_000);
    const published = world.slice;
    member.answer = REPLICA;
    await world.recorder.shows([], 5000);
    member.answer = { code: 200, body: { role: "primary", state: "starting", patroni: {} } };
    await delay(1200);
    const { resourceVersion: _, ...metadata } = published.metadata as { resourceVersion: string };
    await world.client.replace(
      `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/${SERVICE}`,
      {
        ...published,
        metadata,
      },
    );
    await world.recorder.shows([member.host], 1000);
    await world.recorder.shows([], 2000);
  });
});
