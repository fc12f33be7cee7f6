import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PartReason } from "../../../../src/contract/reasons.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { cpuTimeMs } from "../../../support/cpu-time.ts";
import { inject, injected, ours, patroniPod, type World } from "../world.ts";

type Annotations = Readonly<Record<string, string>>;

const istio = (annotations: Annotations): Annotations =>
  Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`traffic.sidecar.istio.io/${name}`, value]),
  );
const linkerd = (annotations: Annotations): Annotations =>
  Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`config.linkerd.io/${name}`, value]),
  );

const IN = "5432,8008,8011";
const OUT = "5432,8008";
const API = "10.96.0.1/32";
const ISTIO = istio({ excludeInboundPorts: IN, excludeOutboundPorts: OUT, excludeOutboundIPRanges: API });
const LINKERD = linkerd({ "skip-inbound-ports": IN, "skip-outbound-ports": OUT });
const only = (...meshes: ("istio" | "linkerd")[]): World => ({ settings: { meshes } });

interface Row {
  readonly name: string;
  readonly annotations?: Annotations;
  readonly spec?: JsonObject;
  readonly world?: World;
  /** All annotations of meshes on the planned pod. */
  readonly expected: Annotations;
  readonly applied?: boolean;
  readonly reasons?: readonly PartReason[];
}

const ROWS: readonly Row[] = [
  { name: "nothing there yet", expected: { ...ISTIO, ...LINKERD } },
  { name: "Istio only", world: only("istio"), expected: ISTIO },
  { name: "Linkerd only", world: only("linkerd"), expected: LINKERD },
  { name: "no mesh in the configuration", world: only(), expected: {}, applied: false },
  {
    name: "switched off by annotation",
    annotations: ours({ mesh: "off" }) as Annotations,
    expected: {},
    applied: false,
  },
  {
    name: "host network",
    spec: { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    expected: {},
    applied: false,
    reasons: ["mesh-host-network"],
  },
  {
    name: "lists are merged, never replaced",
    world: only("istio"),
    annotations: istio({
      excludeInboundPorts: "15020, 9187",
      excludeOutboundPorts: "443",
      excludeOutboundIPRanges: "1.2.3.4/32",
    }),
    expected: istio({
      excludeInboundPorts: `15020,9187,${IN}`,
      excludeOutboundPorts: `443,${OUT}`,
      excludeOutboundIPRanges: `1.2.3.4/32,${API}`,
    }),
  },
  {
    name: "what is there already stays as it is written",
    world: only("istio"),
    annotations: istio({
      excludeInboundPorts: "8011, 8008 ,5432",
      excludeOutboundPorts: OUT,
      excludeOutboundIPRanges: API,
    }),
    expected: istio({
      excludeInboundPorts: "8011, 8008 ,5432",
      excludeOutboundPorts: OUT,
      excludeOutboundIPRanges: API,
    }),
  },
  {
    name: "Linkerd's lists are merged too",
    world: only("linkerd"),
    annotations: linkerd({ "skip-inbound-ports": "9187", "skip-outbound-ports": "5432" }),
    expected: linkerd({ "skip-inbound-ports": `9187,${IN}`, "skip-outbound-ports": OUT }),
  },
  {
    name: "further ports and ranges by annotation and configuration",
    world: { settings: { meshes: ["istio"], excludeOutboundIPRanges: ["192.168.0.0/16"] } },
    annotations: ours({
      "exclude-ports": "9187,80",
      "exclude-outbound-ip-ranges": "fd00::/8,10.96.0.1/32",
    }) as Annotations,
    expected: istio({
      excludeInboundPorts: `80,${IN},9187`,
      excludeOutboundPorts: OUT,
      excludeOutboundIPRanges: `${API},192.168.0.0/16,fd00::/8`,
    }),
  },
  {
    name: "ports of the pod, and of the sidecar",
    world: { settings: { meshes: ["istio"], sidecar: { port: 9000 } } },
    annotations: ours({ "postgres-port": "6000", "patroni-port": "7000" }) as Annotations,
    expected: istio({
      excludeInboundPorts: "6000,7000,9000",
      excludeOutboundPorts: "6000,7000",
      excludeOutboundIPRanges: API,
    }),
  },
  {
    name: "an API server with IPv6, and one with both",
    world: { ...only("istio"), apiServer: ["fd00::1", "10.0.0.1"] },
    expected: { ...ISTIO, ...istio({ excludeOutboundIPRanges: "fd00::1/128,10.0.0.1/32" }) },
  },
  {
    name: "no known API server and no ranges",
    world: { ...only("istio"), apiServer: [] },
    expected: istio({ excludeInboundPorts: IN, excludeOutboundPorts: OUT }),
  },
  {
    name: "every inbound port is included: exclusions count",
    world: only("istio"),
    annotations: istio({ includeInboundPorts: " * " }),
    expected: { ...ISTIO, ...istio({ includeInboundPorts: " * " }) },
  },
  {
    name: "a list of included ports: ours are taken out",
    world: only("istio"),
    annotations: istio({ includeInboundPorts: "80, 5432,8008,9187" }),
    expected: { ...ISTIO, ...istio({ includeInboundPorts: "80,9187" }) },
  },
  {
    name: "only ours were included: none are left",
    world: only("istio"),
    annotations: istio({ includeInboundPorts: "5432,8008" }),
    expected: { ...ISTIO, ...istio({ includeInboundPorts: "" }) },
  },
  {
    name: "a list of included ports without ours stays as it is written",
    world: only("istio"),
    annotations: istio({ includeInboundPorts: "80, 443" }),
    expected: { ...ISTIO, ...istio({ includeInboundPorts: "80, 443" }) },
  },
  {
    name: "Istio is there already, and its init container was not told",
    spec: { initContainers: [{ name: "istio-init" }] },
    world: only("istio"),
    expected: ISTIO,
    reasons: ["mesh-too-late"],
  },
  ...["istio-proxy", "istio-validation"].map((container) => ({
    name: `Istio is there already, but the CNI reads the annotations later: ${container}`,
    spec: { initContainers: [{ name: container }] },
    world: only("istio"),
    expected: ISTIO,
  })),
  {
    name: "Istio is there already, and was told",
    spec: { initContainers: [{ name: "istio-init" }, { name: "istio-proxy", restartPolicy: "Always" }] },
    annotations: ISTIO,
    world: only("istio"),
    expected: ISTIO,
  },
];

const isMesh = (key: string) =>
  key.startsWith("traffic.sidecar.istio.io/") || key.startsWith("config.linkerd.io/");

describe("mesh", () => {
  for (const { name, annotations = {}, spec = {}, world, expected, applied = true, reasons = [] } of ROWS) {
    test(name, () => {
      const planned = inject(patroniPod({ annotations, spec }), world);
      const found = Object.fromEntries(Object.entries(planned.annotations).filter(([key]) => isMesh(key)));
      assert.deepEqual(found, expected);
      assert.equal(planned.applied.includes("mesh"), applied);
      assert.deepEqual(
        planned.reasons.filter((reason) => reason.startsWith("mesh")),
        reasons,
      );
    });
  }

  test("a second pass, after Istio came, changes nothing and says nothing", () => {
    const pod = injected(patroniPod(), only("istio"));
    const spec = pod.spec as JsonObject;
    const meshed = {
      ...pod,
      spec: { ...spec, initContainers: [{ name: "istio-proxy" }, ...(spec.initContainers as JsonObject[])] },
    };
    const again = inject(meshed, only("istio"));
    assert.equal(again.reason, "already-injected");
    assert.deepEqual(again.reasons, []);
  });

  test("the longest lists take bounded time", () => {
    const all = Array.from({ length: 65_535 }, (_, index) => String(index + 1)).join(",");
    const others = Array.from({ length: 100_000 }, (_, index) => `x${index}`).join(",");
    const annotations = {
      ...ours({ "exclude-ports": all }),
      ...istio({ excludeInboundPorts: others, includeInboundPorts: others }),
    };
    const start = cpuTimeMs();
    inject(patroniPod({ annotations }));
    const took = cpuTimeMs() - start;
    assert.ok(took < 2000, `took ${Math.round(took)} ms of CPU time`);
  });
});
