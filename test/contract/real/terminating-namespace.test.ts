import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at } from "../../../src/json/value.ts";
import { PRIMARY, ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { eventually } from "../suite/eventually.ts";
import { Controlled } from "./controlled.ts";

/** A cluster that failed would be tried again, and told of, several times within this. Milliseconds. */
const WATCHED_MS = 2000;

let controlled: Controlled;

before(async () => {
  controlled = await Controlled.start();
  controlled.controller();
});
after(() => controlled?.stop());

it("leaves what nobody may make any more, and complains of nothing, while a namespace is being deleted", async (t) => {
  const place = await controlled.addNamespace("db");
  const member = await new ScriptedMember("pg-0", "127.31.9.1").start();
  t.after(() => member.stop());
  member.answer = PRIMARY;
  await place.addPod(member);
  await place.untilPublished(member);

  // Without a namespace controller it goes on being deleted for ever.
  const { api } = controlled.plane;
  await api.request("DELETE", `/api/v1/namespaces/${place.namespace}`);
  const namespace = await place.read(`/api/v1/namespaces/${place.namespace}`);
  assert.equal(at(namespace, "status", "phase"), "Terminating");
  await api.request("DELETE", place.role);

  const refused = async () =>
    (await controlled.asked(place.namespace)).filter(({ verb, code }) => verb === "create" && code === 403);
  await eventually("the controller has tried to make the Role anew", async () =>
    (await refused()).some(({ resource }) => resource === "roles"),
  );
  const tries = (await refused()).length;
  await delay(WATCHED_MS);
  assert.equal((await refused()).length, tries, "it was tried again");
  assert.deepEqual(
    controlled.logged.filter(
      ({ msg }) => msg === "cluster not as it should be yet" || msg === "event not written",
    ),
    [],
  );
  assert.match(await controlled.metrics.registry.metrics(), /result="success"/);
});
