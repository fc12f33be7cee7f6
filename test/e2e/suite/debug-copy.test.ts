import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { at, objectsIn } from "../../../src/json/value.ts";
import { twoAtOnce } from "../analysis/slice-record.ts";
import { settle } from "../faults/observation.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import type { MemberPod } from "../rig/members.ts";
import { hasSidecar, runsPatroni } from "../rig/sidecars.ts";
import { SliceWatch } from "../rig/slice-watch.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "debug-copy", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const TIMEOUT = { timeout: 400_000 };
const STARTS_WITHIN_MS = 120_000;

describe("kubectl debug --copy-to", { skip: extent === "quick" }, () => {
  const { deployed } = setStage(FORM);

  it("of the primary, without its labels: a copy that nobody is led to", TIMEOUT, () =>
    copied(deployed(), "copy-plain", [], async ({ primary, stderr }) => {
      assert.equal(
        stderr.includes("patroni-injector"),
        false,
        "no webhook is asked about a pod without labels",
      );
      await isOnlyAt(deployed(), primary);
    }),
  );

  it(
    "with its labels: it has a name of its own, and the original's name is the original's alone",
    TIMEOUT,
    () =>
      copied(deployed(), "copy-labelled", ["--keep-labels"], async ({ primary, name }) => {
        const { members } = deployed();
        const copy = await until("the copy's Patroni announces itself", STARTS_WITHIN_MS, async () =>
          (await members.list(primary.name)).find((member) => member.name === name),
        );
        assert.ok(copy.host.startsWith(`${name}.`), copy.host);
        assert.notEqual(copy.role, "Leader");
        await isOnlyAt(deployed(), primary);
      }),
  );
});

interface Copied {
  readonly primary: MemberPod;
  /** The copy's. */
  readonly name: string;
  readonly stderr: string;
}

/** Copies the primary, lets Patroni start in the copy, and looks at both under a watch of the slice. */
async function copied(
  deployed: Deployed,
  name: string,
  flags: readonly string[],
  look: (copied: Copied) => Promise<void>,
): Promise<void> {
  const { kubectl, members, target, service } = deployed;
  const place = [`--namespace=${members.namespace}`];
  const { primary } = await settle(deployed, "the cluster is settled before a copy");
  const watch = new SliceWatch(kubectl, members.namespace, service, join(target.out, `slice-${name}.ndjson`));
  try {
    const image = `--image=${target.images.patroni}`;
    const debug = [
      "debug",
      primary.name,
      ...place,
      `--copy-to=${name}`,
      image,
      ...flags,
      "--",
      "sleep",
      "600",
    ];
    const { stderr } = await kubectl.said(debug);
    const copy = await until("Patroni runs in the copy", STARTS_WITHIN_MS, async () => {
      const pod = await kubectl.json(["get", "pod", name, ...place]);
      return runsPatroni(pod) ? pod : undefined;
    });
    assert.equal(hasSidecar(copy), true, "it came with the copy");
    await delay(5_000);
    await look({ primary, name, stderr });
    assert.deepEqual(twoAtOnce(watch.moments()), []);
    assert.deepEqual(watch.now, [primary.ip]);
  } finally {
    await watch.stop();
    await kubectl.run(["delete", "pod", name, ...place, "--grace-period=5", "--ignore-not-found"]);
  }
}

/** The primary's DNS name and the Service lead to it, and nowhere else. */
async function isOnlyAt({ kubectl, members, service }: Deployed, primary: MemberPod): Promise<void> {
  const own = `${primary.name}.${members.scope}-headless.${members.namespace}.svc.cluster.local`;
  const found = await kubectl.exec(members.ref(primary.name), ["getent", "ahostsv4", own]);
  const addresses = new Set(
    found
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/)[0]),
  );
  assert.deepEqual([...addresses], [primary.ip]);
  const slice = await kubectl.json(["get", "endpointslice", service, `--namespace=${members.namespace}`]);
  const published = objectsIn(slice.endpoints).map((endpoint) => at(endpoint, "targetRef", "name"));
  assert.deepEqual(published, [primary.name]);
}
