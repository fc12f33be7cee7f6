import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { objectsIn } from "../../../src/json/value.ts";
import { PRIMARY, REPLICA, ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { eventually } from "../suite/eventually.ts";
import { Controlled } from "./controlled.ts";

let controlled: Controlled;
const members: ScriptedMember[] = [];

// Without its cache the API server watches etcd itself, and etcd forgets what is older than a second or two: every watch that goes
// on from an object that nobody has touched for a while is told 410.
before(async () => {
  controlled = await Controlled.start(
    {},
    { apiServerFlags: ["--watch-cache=false", "--etcd-compaction-interval=1s"] },
  );
});
after(async () => {
  for (const member of members) await member.stop();
  await controlled?.stop();
});

it("goes on behind a compaction of etcd", async () => {
  const place = await controlled.addNamespace("db");
  for (const [index, answer] of [PRIMARY, REPLICA].entries()) {
    const member = await new ScriptedMember(`pg-${index}`, `127.33.0.${index + 1}`).start();
    members.push(member);
    member.answer = answer;
    await place.addPod(member);
  }
  const [first, second] = members as [ScriptedMember, ScriptedMember];
  controlled.controller({ watchMs: 1000, graceMs: 2000, firstPauseMs: 50, longestPauseMs: 500 });
  await place.untilPublished(first);

  const path = place.core("configmaps");
  await place.create(path, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "noise" } });
  const gone = () =>
    controlled.logged.filter(({ msg, error }) => msg === "watch interrupted" && /410/.test(String(error)));
  await eventually("watches are told 410", async () => {
    await place.change(`${path}/noise`, { data: { now: String(performance.now()) } });
    await delay(50);
    return gone().length >= 5;
  });

  first.answer = REPLICA;
  second.answer = PRIMARY;
  await place.untilPublished(second);
  await place.change(place.slice, { ports: [{ name: "other", port: 1, protocol: "TCP" }] });
  await place.eventually(
    "it is mended",
    place.slice,
    ({ ports }) => objectsIn(ports)[0]?.name === "tcp-postgres",
  );
  await place.remove(place.headless);
  await place.eventually("it is made again", place.headless, () => true);
  assert.ok(new Set(gone().map(({ resource }) => resource)).size >= 2);
});
