import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultFigure } from "../../e2e/analysis/figure.ts";
import { reportText } from "../../e2e/analysis/report.ts";
import { EnvironmentError, imagesFrom } from "../../e2e/rig/open-target.ts";

const fault = (promotedToPublishedMs: number | undefined): FaultFigure => ({
  kind: "fault",
  form: "etcd",
  fault: "switchover",
  outcomes: { acknowledged: 700, before: 3, refused: 0, unknown: 1, readOnly: 0 },
  unavailableMs: 1_359,
  struckToPromotedMs: 1_200,
  struckToRemovedMs: 900,
  promotedToPublishedMs,
  publishedToWrittenMs: 54,
  lost: 0,
  fromFormer: 0,
  twoAtOnce: 0,
});

test("the report has a row for each fault, and the spread of those that were failovers", () => {
  const text = reportText([
    { kind: "number", what: "helm install to Ready", value: 6.7, unit: "s" },
    fault(70),
    fault(90),
    fault(undefined),
  ]);
  assert.match(text, /^helm install to Ready: 6\.70 s$/m);
  assert.match(text, /promoted → published, 2 failovers: p50 70\.0 ms, p99 90\.0 ms, longest 90\.0 ms/);
  assert.equal(text.match(/^etcd +switchover +1,359 /gm)?.length, 3);
});

test("an empty run has a report too", () => assert.match(reportText([]), /0 failovers: p50 –/));

test("on a cluster of one's own every image must be named", () => {
  assert.throws(
    () => imagesFrom({ E2E_KUBECONFIG: "x", E2E_PATRONI_IMAGE: "p:1" }),
    (error) =>
      error instanceof EnvironmentError &&
      /E2E_INJECTOR_IMAGE, E2E_ETCD_IMAGE, E2E_PGBOUNCER_IMAGE must name/.test(error.message),
  );
  const env = {
    E2E_INJECTOR_IMAGE: "i:1",
    E2E_PATRONI_IMAGE: "p:1",
    E2E_ETCD_IMAGE: "e:1",
    E2E_PGBOUNCER_IMAGE: "b:1",
  };
  assert.deepEqual(imagesFrom(env), { injector: "i:1", patroni: "p:1", etcd: "e:1", pgbouncer: "b:1" });
});
