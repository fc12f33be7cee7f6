import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planSlice } from "../../../../src/controller/slice/plan.ts";
import type { ClusterView } from "../../../../src/controller/view.ts";
import { at, type JsonObject } from "../../../../src/json/value.ts";
import { endpointOf, member, ownService, ownSlice, service, viewOf } from "../views.ts";

const planOf = (difference: Partial<ClusterView>, of = service()) =>
  planSlice(viewOf({ primaryService: of, ...difference }), of, {});

const foreign = (labels: JsonObject = {}): JsonObject => ({
  metadata: { name: "pg-primary-abcde", labels: { "kubernetes.io/service-name": "pg-primary", ...labels } },
});
const mirrored = foreign({
  "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
});
const endpoints = (skipMirror: boolean) => ({
  namespace: "db",
  name: "pg-primary",
  uid: "e",
  resourceVersion: "1",
  leader: undefined,
  ttlMs: undefined,
  skipMirror,
});
const takeOver = service({}, { annotations: { "patroni-injector.io/take-over": "true" } });

interface Row {
  readonly what: string;
  readonly view?: Partial<ClusterView>;
  readonly service?: JsonObject;
  readonly step: string;
  readonly reason?: string;
}

const ROWS: readonly Row[] = [
  { what: "there is none", step: "create" },
  { what: "it is as it should be", view: { slices: [ownSlice([endpointOf(member())])] }, step: "none" },
  { what: "it is empty", view: { slices: [ownSlice()] }, step: "none" },
  {
    what: "the Service has a selector",
    service: service({ selector: { role: "master" } }),
    view: { slices: [ownSlice()] },
    step: "remove",
    reason: "service-occupied",
  },
  {
    what: "the Service is an ExternalName, and there is no slice",
    service: service({ type: "ExternalName" }),
    step: "none",
    reason: "service-occupied",
  },
  {
    what: "another slice is there",
    view: { slices: [ownSlice(), foreign()] },
    step: "remove",
    reason: "service-occupied",
  },
  {
    what: "an Endpoints object is there, at a user's Service",
    view: { endpoints: endpoints(false) },
    step: "none",
    reason: "service-occupied",
  },
  {
    what: "an Endpoints object is there that may be put aside",
    service: takeOver,
    view: { endpoints: endpoints(false), slices: [mirrored] },
    step: "put-aside",
    reason: "service-taking-over",
  },
  {
    what: "an Endpoints object is there at a Service of our own",
    service: ownService(),
    view: { endpoints: endpoints(false) },
    step: "put-aside",
    reason: "service-taking-over",
  },
  {
    what: "it was put aside, and its mirror is still there",
    service: takeOver,
    view: { endpoints: endpoints(true), slices: [mirrored] },
    step: "none",
    reason: "service-taking-over",
  },
  {
    what: "it was put aside, and its mirror is gone",
    service: takeOver,
    view: { endpoints: endpoints(true) },
    step: "create",
  },
  {
    what: "the Service is of another family now",
    service: service({ ipFamilies: ["IPv6"] }),
    view: { slices: [ownSlice()] },
    step: "remove",
  },
  {
    what: "the Service is another one by now",
    service: service({}, { uid: "new" }),
    view: { slices: [ownSlice([endpointOf(member())])] },
    step: "mend",
  },
  {
    what: "an endpoint is of a pod that is not seen",
    view: { slices: [ownSlice([endpointOf(member({ uid: "gone" }))])] },
    step: "mend",
  },
  {
    what: "an endpoint has an address that its pod has not",
    view: { slices: [ownSlice([endpointOf(member({ ip: "10.0.0.7" }))])] },
    step: "mend",
  },
  {
    what: "an endpoint's pod has ended",
    view: { slices: [ownSlice([endpointOf(member())])], members: [member({ ended: true })] },
    step: "mend",
  },
  {
    what: "it is empty, with the term of a pod that is not seen",
    view: {
      slices: [
        ownSlice([], { "patroni-injector.io/term": "1/2", "patroni-injector.io/last-pod": "pg-9/gone" }),
      ],
    },
    step: "mend",
  },
  {
    what: "it is empty, with the term of a pod that is there",
    view: {
      slices: [
        ownSlice([], { "patroni-injector.io/term": "1/2", "patroni-injector.io/last-pod": "pg-0/uid-0" }),
      ],
    },
    step: "none",
  },
  {
    what: "the user wants the term cleared",
    service: service({}, { annotations: { "patroni-injector.io/reset-term": "1" } }),
    view: { slices: [ownSlice()] },
    step: "mend",
  },
  {
    what: "that was done",
    service: service({}, { annotations: { "patroni-injector.io/reset-term": "1" } }),
    view: { slices: [ownSlice([], { "patroni-injector.io/term-reset": "1" })] },
    step: "none",
  },
  {
    what: "our labels are gone, and our annotations tell whose it is",
    view: {
      slices: [
        {
          ...ownSlice(),
          metadata: { name: "pg-primary", annotations: { "patroni-injector.io/term": "1/2" } },
        },
      ],
    },
    step: "mend",
  },
  {
    what: "the name is taken by a slice of somebody else",
    view: { slices: [{ metadata: { name: "pg-primary" } }] },
    step: "none",
    reason: "service-occupied",
  },
];

describe("the next step for the primary's slice, where", () => {
  for (const { what, view = {}, service: of = service(), step, reason } of ROWS) {
    it(`${what}: ${step}`, () => {
      const plan = planOf(view, of);
      assert.equal(plan.step.kind, step);
      assert.equal(plan.findings[0]?.reason, reason);
    });
  }
});

it("a slice that is made again goes on with its term, and with nobody in it", () => {
  const kept = { "patroni-injector.io/term": "1/7", "patroni-injector.io/cluster-ip": "10.96.0.1" };
  const { step } = planSlice(viewOf(), service(), kept);
  const slice = step.kind === "create" ? step.slice : {};
  assert.equal(at(slice, "metadata", "annotations", "patroni-injector.io/term"), "1/7");
  assert.equal(at(slice, "metadata", "annotations", "patroni-injector.io/cluster-ip"), "10.96.0.9");
  assert.deepEqual(slice.endpoints, []);
});
