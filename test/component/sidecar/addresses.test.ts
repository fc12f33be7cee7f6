import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { PRIMARY, ScriptedMember } from "./scripted-member.ts";
import { NAMESPACE, SERVICE, SLICES, said, until, World } from "./world.ts";

async function primary(t: { after(done: () => unknown): void }, host: string): Promise<ScriptedMember> {
  const member = await new ScriptedMember("pg-0", host).start();
  t.after(() => member.stop());
  member.answer = PRIMARY;
  return member;
}

for (const order of ["127.26.0.1,fd00::1", "fd00::1,127.26.0.1"]) {
  test(`POD_IPS ${order}: a slice of IPv6 shows the pod's IPv6 address, asked on POD_IP`, async (t) => {
    const world = await World.open(t, { slice: false });
    await world.makeSlice({ addressType: "IPv6" });
    const member = await primary(t, "127.26.0.1");
    // Only reading tells the family.
    world.api.faults.add({ kind: "watch-silent", match: { user: world.userOf(member) } });
    const sidecar = await world.sidecar(member, { POD_IPS: order });
    await world.recorder.shows(["fd00::1"], 10_000);
    await sidecar.said("published");
    assert.deepEqual(
      said(sidecar).filter((line) => /family|no IPv/.test(line)),
      [],
    );
  });
}

test("a pod without an address of the slice's family says so, and publishes nothing", async (t) => {
  const world = await World.open(t, { slice: false });
  await world.makeSlice({ addressType: "IPv6" });
  const member = await primary(t, "127.26.0.2");
  const sidecar = await world.sidecar(member);
  await sidecar.said(
    `not published: this pod has no IPv6 address, and EndpointSlice ${NAMESPACE}/${SERVICE} takes no other`,
  );
  assert.deepEqual(world.recorder.current?.addresses, []);
});

test("what somebody else changes in the entry is put right at once", async (t) => {
  const world = await World.open(t);
  const member = await primary(t, "127.26.0.3");
  await world.sidecar(member);
  await world.recorder.shows([member.host], 10_000);
  const changes: readonly ((endpoint: JsonObject) => JsonObject[])[] = [
    () => [],
    (endpoint) => [{ ...endpoint, addresses: ["10.9.9.9"] }],
    (endpoint) => [{ ...endpoint, conditions: { ready: false } }],
    (endpoint) => [endpoint, { addresses: ["10.9.9.9"] }],
  ];
  const right = JSON.stringify(world.slice.endpoints);
  for (const change of changes) {
    const [endpoint = {}] = objectsIn(world.slice.endpoints);
    const { resourceVersion: _, ...metadata } = world.slice.metadata as JsonObject;
    const began = performance.now();
    await world.client.replace(`${SLICES}/${SERVICE}`, {
      ...world.slice,
      metadata,
      endpoints: change(endpoint),
    });
    await until("it is put right", () => JSON.stringify(world.slice.endpoints) === right, 5000);
    t.diagnostic(`put right in ${(performance.now() - began).toFixed(0)} ms`);
  }
});
