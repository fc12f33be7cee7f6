import {
  excludedNamespacesOf,
  type Own,
  selectorsOf,
  watchedNamespacesOf,
} from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";
import { AUDIT_PATH, DOMAIN, FIELD_MANAGER, MUTATE_PATH, NAMESPACE_LABEL } from "../contract/names.ts";
import type { PodSelector } from "../injection/settings.ts";
import type { JsonObject } from "../json/value.ts";

export interface RegistrationFacts extends Own {
  /** The authorities that the API server is to trust, PEM. */
  readonly caPem: string;
  /** The port that the webhook listens on. */
  readonly port: number;
}

/** The two kinds of entries: what the namespace's label says, and where the pod is sent. */
const MODES = [
  { mode: "enabled", segment: "mutate", path: MUTATE_PATH },
  { mode: "audit", segment: "audit", path: AUDIT_PATH },
] as const;

/** An error in a condition would skip the webhook in silence (under `Ignore`): a pod may have no annotations at all. */
const NOT_A_MIRROR_POD = {
  name: "not-a-mirror-pod",
  expression:
    "!has(object.metadata.annotations) || !('kubernetes.io/config.mirror' in object.metadata.annotations)",
};

/**
 * The whole MutatingWebhookConfiguration: for each pod selector one entry that changes pods, and one that only says. The entries are
 * named by the place of their selector, Patroni's and the poolers' each by themselves: a new pooler's renames none of Patroni's.
 */
export function desiredWebhookConfiguration(config: Config, facts: RegistrationFacts): JsonObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: {
      name: config.webhook.registration.name,
      labels: { "app.kubernetes.io/name": FIELD_MANAGER, "app.kubernetes.io/managed-by": FIELD_MANAGER },
    },
    webhooks: [
      ...selectorsOf(config).map((selector, index) => [String(index), selector] as const),
      ...config.poolers.selectors.map((selector, index) => [`poolers-${index}`, selector] as const),
    ].flatMap(([name, selector]) => MODES.map((mode) => entry(config, facts, selector, name, mode))),
  };
}

function entry(
  config: Config,
  facts: RegistrationFacts,
  selector: PodSelector,
  place: string,
  { mode, segment, path }: (typeof MODES)[number],
): JsonObject {
  const watched = watchedNamespacesOf(config);
  return {
    name: `${place}.${segment}.${DOMAIN}`,
    admissionReviewVersions: ["v1"],
    clientConfig: clientConfig(config, facts, path),
    rules: [
      {
        apiGroups: [""],
        apiVersions: ["v1"],
        resources: ["pods"],
        operations: ["CREATE"],
        scope: "Namespaced",
      },
    ],
    matchPolicy: "Equivalent",
    namespaceSelector: {
      matchExpressions: [
        { key: NAMESPACE_LABEL, operator: "In", values: [mode] },
        {
          key: "kubernetes.io/metadata.name",
          operator: "NotIn",
          values: excludedNamespacesOf(config, facts),
        },
        ...(watched === undefined
          ? []
          : [{ key: "kubernetes.io/metadata.name", operator: "In", values: [...watched] }]),
      ],
    },
    objectSelector: {
      matchExpressions: [
        selector.values.length === 0
          ? { key: selector.key, operator: "Exists" }
          : { key: selector.key, operator: "In", values: [...selector.values] },
      ],
    },
    matchConditions: [NOT_A_MIRROR_POD],
    failurePolicy: mode === "audit" ? "Ignore" : config.webhook.failurePolicy,
    reinvocationPolicy: "IfNeeded",
    sideEffects: "None",
    timeoutSeconds: config.webhook.timeoutSeconds,
  };
}

function clientConfig(config: Config, facts: RegistrationFacts, path: string): JsonObject {
  const { url, service } = config.webhook.registration;
  const caBundle = Buffer.from(facts.caPem).toString("base64");
  if (url !== undefined) return { url: new URL(path, withPort(url, facts.port)).href, caBundle };
  const namespace = service.namespace ?? facts.ownNamespace;
  if (namespace === undefined) throw new Error(NO_NAMESPACE);
  return { service: { name: service.name, namespace, port: service.port, path }, caBundle };
}

const NO_NAMESPACE =
  "webhook.registration.service.namespace: must be set where serve does not run in a pod of the cluster";

/** Port 0 stands for the port that the webhook listens on. */
function withPort(url: string, port: number): URL {
  const whole = new URL(url);
  if (whole.port === "0") whole.port = String(port);
  return whole;
}
