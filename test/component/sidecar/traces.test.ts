import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Program } from "../../../demo/program.ts";
import {
  bodyOf,
  leaderIn,
  readTrace,
  TRACES,
  type TraceLine,
  type TraceName,
} from "../../fixtures/traces.ts";
import { type Answer, ScriptedMember } from "./scripted-member.ts";
import { NAMESPACE, World } from "./world.ts";

/** A recording's long silences are shortened to this: longer than any time-out or poll. Milliseconds. */
const LONGEST_GAP_MS = 2500;

/** Milliseconds within which a leaving primary must be gone, and a new one there. */
const REMOVED_WITHIN_MS = 2000;
const PUBLISHED_WITHIN_MS = 2000;

const NAMES = ["pg-0", "pg-1", "pg-2"];

/** Whom the slice must show, in order; an address of a pod that is gone may also be replaced without having been removed. */
const EXPECTED: Readonly<Record<TraceName, RegExp>> = {
  switchover: /^pg-1, nobody, pg-0$/,
  "kill-postgres": /^pg-0$/,
  "delete-pod": /^pg-0, pg-2$/,
  freeze: /^pg-2, pg-0$/,
};

const answerOf = (line: TraceLine): Answer =>
  typeof line.code === "number" ? { code: line.code, body: bodyOf(line) } : () => undefined;

const isPrimary = (line: TraceLine | undefined): boolean =>
  line?.code === 200 && line.state === "running" && line.role === "primary";

const isLeaving = (line: TraceLine): boolean =>
  line.code === 503 || line.role === "demoted" || line.state === "stopping" || line.state === "stopped";

// Members that answer as recorded, with real sidecars beside them: what do clients of the slice get to see, and when?
describe("recorded failovers", { concurrency: 2 }, () => {
  for (const [index, name] of TRACES.entries()) {
    test(name, async (t) => {
      const world = await World.open(t);
      const members = await Promise.all(
        NAMES.map((pod, ordinal) => new ScriptedMember(pod, `127.21.${index}.${ordinal + 1}`).start()),
      );
      t.after(() => Promise.all(members.map((member) => member.stop())));
      const memberOf = (pod: string) => members[NAMES.indexOf(pod)] as ScriptedMember;
      const sidecars = new Map<string, Program>();
      const startSidecar = async (pod: string, uid: string) => {
        const settings = { POD_UID: uid, PATRONI_INJECTOR_LEADER_OBJECT: "configmaps/pg-leader" };
        sidecars.set(pod, await world.sidecar(memberOf(pod), settings));
      };

      const trace = readTrace(name);
      const last = new Map<string, TraceLine>();
      const leaving: { pod: string; at: number }[] = [];
      const promoted: { pod: string; at: number }[] = [];
      let before = 0;
      for (const line of trace) {
        await delay(Math.min(line.t - before, LONGEST_GAP_MS));
        before = line.t;
        const leader = leaderIn(line);
        if (leader !== undefined) await keepLeader(world, leader);
        if (line.what === "pod" && line.pod !== undefined && line.t > 1000)
          await startSidecar(line.pod, `${line.pod} anew`);
        if (line.what !== "primary" || line.pod === undefined) continue;
        const { pod } = line;
        const wasPrimary = isPrimary(last.get(pod));
        last.set(pod, line);
        memberOf(pod).answer = answerOf(line);
        if (line.code === "ECONNREFUSED") {
          // The pod is gone, and its sidecar with it.
          sidecars.get(pod)?.signal("SIGKILL");
          await memberOf(pod).stop();
          await memberOf(pod).start();
          memberOf(pod).answer = () => undefined;
        }
        if (wasPrimary && isLeaving(line)) leaving.push({ pod, at: performance.now() });
        if (!wasPrimary && isPrimary(line) && sidecars.size > 0)
          promoted.push({ pod, at: performance.now() });
        if (last.size === NAMES.length && sidecars.size === 0) {
          await Promise.all(NAMES.map((each) => startSidecar(each, each)));
          const primary = NAMES.find((each) => isPrimary(last.get(each))) ?? "";
          await world.recorder.shows([memberOf(primary).host], 10_000);
        }
      }
      await delay(500);

      const podAt = (address: string | undefined) =>
        members.find(({ host }) => host === address)?.name ?? "nobody";
      const shown = world.recorder.moments.map(({ at, addresses }) => ({ at, pod: podAt(addresses[0]) }));
      const changes = shown.slice(1).filter(({ pod }, position) => pod !== shown[position]?.pod);
      assert.match(changes.map(({ pod }) => pod).join(", "), EXPECTED[name]);
      assert.deepEqual(world.recorder.violations, []);
      for (const { pod, at } of leaving) {
        const removed = changes.find((change) => change.at >= at && change.pod !== pod);
        const stoodThere = shown.findLast((moment) => moment.at < at)?.pod === pod;
        if (!stoodThere) continue;
        assert.ok(removed, `${pod} left and stayed in the slice`);
        t.diagnostic(
          `${pod} removed ${(removed.at - at).toFixed(0)} ms after its first answer that it leaves`,
        );
        assert.ok(removed.at - at <= REMOVED_WITHIN_MS);
      }
      for (const { pod, at } of promoted) {
        const published = changes.find((change) => change.at >= at && change.pod === pod);
        if (published === undefined) continue; // it had never left
        t.diagnostic(
          `${pod} published ${(published.at - at).toFixed(0)} ms after its first answer as primary`,
        );
        assert.ok(published.at - at <= PUBLISHED_WITHIN_MS);
      }
    });
  }
});

async function keepLeader({ client }: World, leader: string): Promise<void> {
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
  const metadata = { name: "pg-leader", annotations: { leader, ttl: "30" } };
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata };
  const { code } = await client.replace(`${path}/pg-leader`, object);
  if (code === 404) await client.create(path, object);
}
