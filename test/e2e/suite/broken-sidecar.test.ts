import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { settle } from "../faults/observation.ts";
import { restartMember } from "../faults/restart-members.ts";
import { runSwitchoverTo } from "../faults/run-switchover-to.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import type { MemberPod } from "../rig/members.ts";
import { upgrade } from "../rig/release-changes.ts";
import { Reports } from "../rig/reports.ts";
import { hasSidecar, runsPatroni, sidecarStatus, waitingReason } from "../rig/sidecars.ts";
import type { Target } from "../rig/target.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "broken-sidecar", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const TIMEOUT = { timeout: 900_000 };
const FAILS_WITHIN_MS = 120_000;
const SUSPENDED_WITHIN_MS = 60_000;
const CLOSES_WITHIN_MS = 120_000;

interface Breakage {
  readonly title: string;
  readonly native: boolean;
  readonly image: (target: Target) => string;
  /** The kubelet's words for it. */
  readonly says: RegExp;
  /** Whether Patroni starts in such a pod. */
  readonly startsPatroni: boolean;
}

const missing = () => "localhost/patroni-injector-test/none:1";
const MISSING = /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull)$/;
/** etcd does not know the argument `sidecar`, and ends at once. */
const crashing = ({ images }: Target) => images.etcd;

const BREAKAGES: readonly Breakage[] = [
  {
    title: "a native sidecar without an image",
    native: true,
    image: missing,
    says: MISSING,
    startsPatroni: false,
  },
  {
    title: "a plain container without an image",
    native: false,
    image: missing,
    says: MISSING,
    startsPatroni: true,
  },
  {
    title: "a native sidecar that crashes",
    native: true,
    image: crashing,
    says: /^CrashLoopBackOff$/,
    startsPatroni: true,
  },
  {
    title: "a plain container that crashes",
    native: false,
    image: crashing,
    says: /^CrashLoopBackOff$/,
    startsPatroni: true,
  },
];

describe("the breaker, on", { skip: extent === "quick" }, () => {
  const { deployed } = setStage(FORM);
  after(() => upgrade(deployed().target), { timeout: 300_000 });

  for (const breakage of BREAKAGES) {
    describe(breakage.title, () => {
      let stuck: MemberPod;

      it(
        `${breakage.startsPatroni ? "goes on with" : "holds back"} Patroni, and suspends the sidecar`,
        TIMEOUT,
        async () => {
          const { kubectl, members, target } = deployed();
          const image = breakage.image(target);
          await upgrade(target, { config: { sidecar: { image, native: breakage.native } } });
          const { standbys } = await settle(deployed(), "the cluster is settled before its sidecar breaks");
          const [standby] = standbys;
          assert.ok(standby);
          const began = performance.now();
          await kubectl.run(["delete", "pod", standby.name, `--namespace=${members.namespace}`]);
          stuck = await until(`the sidecar of ${standby.name} fails`, FAILS_WITHIN_MS, async () => {
            const pod = await members.pod(standby.name);
            return breakage.says.test(waitingReason(sidecarStatus(pod.object)) ?? "") ? pod : undefined;
          });
          keep(deployed(), `${breakage.title}: deleted, to the kubelet's verdict`, performance.now() - began);
          await until("the sidecar is suspended", SUSPENDED_WITHIN_MS, () => suspension(deployed()));
          keep(deployed(), `${breakage.title}: deleted, to suspended`, performance.now() - began);
          await told(deployed(), image);
          assert.equal(runsPatroni((await members.pod(stuck.name)).object), breakage.startsPatroni);
        },
      );

      it("lets the pod come back without the sidecar", TIMEOUT, async () => {
        const { members } = deployed();
        await restartMember(deployed(), stuck);
        assert.equal(hasSidecar((await members.pod(stuck.name)).object), false);
      });

      if (breakage === BREAKAGES[0] || extent === "all") {
        it("leads to the pod without the sidecar, and away from it", TIMEOUT, async () => {
          const run = BREAKAGES.indexOf(breakage);
          const outcome = await runSwitchoverTo(deployed(), stuck.name, `to-${run}`);
          assert.deepEqual([outcome.lost, outcome.fromFormer, outcome.twoAtOnce], [[], [], []]);
          keep(
            deployed(),
            `${breakage.title}: promoted → published, suspended`,
            outcome.promotedToPublishedMs,
          );
          const [standby] = (await settle(deployed(), "the cluster is settled")).standbys;
          assert.ok(standby);
          await runSwitchoverTo(deployed(), standby.name, `from-${run}`);
        });
      }

      it("closes when an image that works was tried on one pod", TIMEOUT, async () => {
        const { members, target } = deployed();
        await upgrade(target);
        const began = performance.now();
        const probe = await until(
          "a pod is named to try it on",
          CLOSES_WITHIN_MS,
          async () => (await suspension(deployed()))?.probe,
        );
        assert.equal(probe.pod, stuck.name, "the pod that has none");
        await restartMember(deployed(), await members.pod(probe.pod));
        assert.equal(hasSidecar((await members.pod(probe.pod)).object), true);
        await until("the sidecar is suspended no more", CLOSES_WITHIN_MS, async () =>
          (await suspension(deployed())) === undefined ? true : undefined,
        );
        keep(deployed(), `${breakage.title}: image mended, to closed`, performance.now() - began);
      });
    });
  }
});

const suspension = ({ kubectl, members }: Deployed) => new Reports(kubectl).suspension(members.namespace);

/** Waits for the metric and the Event. */
async function told({ kubectl, members }: Deployed, image: string): Promise<void> {
  const reports = new Reports(kubectl);
  const { namespace } = members;
  await until("the metric says that it is suspended", SUSPENDED_WITHIN_MS, async () => {
    const value = await reports.metric("patroni_injector_sidecar_suspended", { target_namespace: namespace });
    return value >= 1 ? value : undefined;
  });
  await until("an Event says so", SUSPENDED_WITHIN_MS, async () =>
    (await reports.events(namespace, "sidecar-suspended")).find((note) => note.includes(image)),
  );
}

function keep({ target }: Deployed, what: string, ms: number | undefined): void {
  if (ms !== undefined) keepFigure(target, { kind: "number", what, value: ms, unit: "ms" });
}
