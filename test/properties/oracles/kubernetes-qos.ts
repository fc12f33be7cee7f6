import { type JsonObject, objectsIn } from "../../../src/json/value.ts";

/** Quantities, as one may write them, with their values in billionths: so that nothing here needs to parse one. */
export const QUANTITIES: Readonly<Record<"cpu" | "memory", Readonly<Record<string, bigint>>>> = {
  cpu: {
    "0": 0n,
    "0m": 0n,
    "0.000": 0n,
    "1n": 1n,
    "50m": 50_000_000n,
    "0.05": 50_000_000n,
    "50000u": 50_000_000n,
    "5e-2": 50_000_000n,
    "1": 1_000_000_000n,
    "1000m": 1_000_000_000n,
    "1.0": 1_000_000_000n,
    "1E0": 1_000_000_000n,
    "2": 2_000_000_000n,
    "1k": 1_000_000_000_000n,
  },
  memory: {
    "0": 0n,
    "0Mi": 0n,
    "67108864": 67_108_864_000_000_000n,
    "64Mi": 67_108_864_000_000_000n,
    "65536Ki": 67_108_864_000_000_000n,
    "0.0625Gi": 67_108_864_000_000_000n,
    "67108864000m": 67_108_864_000_000_000n,
    "64M": 64_000_000_000_000_000n,
    "64e6": 64_000_000_000_000_000n,
    "1Gi": 1_073_741_824_000_000_000n,
    "1024Mi": 1_073_741_824_000_000_000n,
    "1Ti": 1_099_511_627_776_000_000_000n,
  },
};

type Resource = keyof typeof QUANTITIES;
type Totals = Map<Resource, bigint>;

const RESOURCES: readonly Resource[] = ["cpu", "memory"];

/**
 * The class that Kubernetes 1.36 gives a pod (ComputePodQOS in pkg/apis/core/v1/helper/qos), after its defaulting
 * (SetDefaults_Pod: a container's missing request is its limit). Told again from the rules, step by step as they stand.
 */
export function kubernetesQos(pod: JsonObject): "Guaranteed" | "Burstable" | "BestEffort" {
  const spec = pod.spec as JsonObject;
  const requests: Totals = new Map();
  const limits: Totals = new Map();
  let everyoneLimitsBoth = true;
  const own = spec.resources as JsonObject | null | undefined;
  const sources =
    own === undefined || own === null
      ? [...objectsIn(spec.containers), ...objectsIn(spec.initContainers)].map(({ resources }) =>
          defaulted(resources),
        )
      : [{ requests: own.requests, limits: own.limits }];
  for (const source of sources) {
    gather(requests, source.requests);
    gather(limits, source.limits);
    if (RESOURCES.some((resource) => amountOf(source.limits, resource) <= 0n)) everyoneLimitsBoth = false;
  }
  if (requests.size === 0 && limits.size === 0) return "BestEffort";
  const alike = [...requests].every(([resource, amount]) => limits.get(resource) === amount);
  return everyoneLimitsBoth && alike && requests.size === limits.size ? "Guaranteed" : "Burstable";
}

function defaulted(resources: unknown): { requests: unknown; limits: unknown } {
  const { requests, limits } = (resources ?? {}) as JsonObject;
  return { requests: { ...(limits as JsonObject), ...(requests as JsonObject) }, limits };
}

/** Amounts above zero, added up. */
function gather(totals: Totals, list: unknown): void {
  for (const resource of RESOURCES) {
    const amount = amountOf(list, resource);
    if (amount > 0n) totals.set(resource, (totals.get(resource) ?? 0n) + amount);
  }
}

function amountOf(list: unknown, resource: Resource): bigint {
  const text = ((list ?? {}) as JsonObject)[resource];
  if (text === undefined) return 0n;
  const value = QUANTITIES[resource][String(text)] ?? SIDECAR_QUANTITIES[String(text)];
  if (value === undefined) throw new Error(`the table of quantities has no ${String(text)}`);
  return value;
}

/** What the sidecar gets of the settings under test. */
const SIDECAR_QUANTITIES: Readonly<Record<string, bigint>> = {
  "50m": 50_000_000n,
  "200m": 200_000_000n,
  "32Mi": 33_554_432_000_000_000n,
  "64Mi": 67_108_864_000_000_000n,
  "128Mi": 134_217_728_000_000_000n,
};
