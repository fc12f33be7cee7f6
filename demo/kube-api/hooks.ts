import { asString, at, type Json, type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { KubeObject, UserInfo } from "./objects.ts";
import { NAMESPACES, type Resource } from "./resource.ts";
import { objectSelector, type Predicate } from "./selectors.ts";
import { internalError } from "./status.ts";

/** A request as admission sees it. */
export interface Admission {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly resource: Resource;
  readonly subresource: string;
  /** Empty in the cluster; of a Namespace, its own name. */
  readonly namespace: string;
  /** Empty where it is yet to be generated. */
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** `CreateOptions`, `UpdateOptions` or `DeleteOptions`. */
  readonly options: JsonObject;
  /** Undefined for DELETE. */
  readonly object: KubeObject | undefined;
  /** Undefined for CREATE. */
  readonly oldObject: KubeObject | undefined;
}

export type Labels = Readonly<Record<string, string>>;

interface Rule {
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly scope: string;
}

/** One entry of `webhooks` in a MutatingWebhookConfiguration, with the API's own defaults filled in. */
export interface Hook {
  /** Unique among all hooks. */
  readonly id: string;
  readonly configuration: string;
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly namespaceSelector: Predicate<Labels>;
  readonly selectsEveryNamespace: boolean;
  readonly objectSelector: Predicate<Labels>;
  readonly failOpen: boolean;
  readonly reinvocable: boolean;
  readonly sideEffects: string | undefined;
  readonly timeoutSeconds: number;
  readonly reviewVersions: readonly string[];
  readonly clientConfig: JsonObject;
}

/**
 * The hooks of all configurations in the order of their calls: configurations by name in plain byte order, in each
 * the order of its list (apiserver `mutating_webhook_manager.go`).
 */
export function hooksOf(configurations: readonly KubeObject[]): Hook[] {
  const named = configurations.map((object) => ({ name: object.metadata.name ?? "", object }));
  named.sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)));
  return named.flatMap(({ name, object }) =>
    objectsIn(object.webhooks).map((webhook, index) => hook(name, webhook, index)),
  );
}

function hook(configuration: string, webhook: JsonObject, index: number): Hook {
  const name = asString(webhook.name) ?? "";
  const namespaceSelector = webhook.namespaceSelector ?? {};
  return {
    id: `${configuration}/${name}/${index}`,
    configuration,
    name,
    rules: objectsIn(webhook.rules).map((rule) => ({
      operations: texts(rule.operations),
      apiGroups: texts(rule.apiGroups),
      apiVersions: texts(rule.apiVersions),
      resources: texts(rule.resources),
      scope: asString(rule.scope) ?? "*",
    })),
    namespaceSelector: selector(namespaceSelector),
    selectsEveryNamespace: Object.keys(namespaceSelector).length === 0,
    objectSelector: selector(webhook.objectSelector),
    failOpen: webhook.failurePolicy === "Ignore",
    reinvocable: webhook.reinvocationPolicy === "IfNeeded",
    sideEffects: asString(webhook.sideEffects),
    timeoutSeconds: typeof webhook.timeoutSeconds === "number" ? webhook.timeoutSeconds : 10,
    reviewVersions: texts(webhook.admissionReviewVersions),
    clientConfig: (at(webhook, "clientConfig") ?? {}) as JsonObject,
  };
}

/** A selector that cannot be read fails every request it is asked about. */
function selector(value: Json | undefined): Predicate<Labels> {
  try {
    return objectSelector(value);
  } catch (error) {
    const refusal = internalError(error instanceof Error ? error.message : String(error));
    return () => {
      throw refusal;
    };
  }
}

/**
 * Whether a hook is to be called.
 * @param namespaceLabels of the namespace of the request; of a Namespace being written, its new labels
 */
export function selects(hook: Hook, request: Admission, namespaceLabels: Labels): boolean {
  const { resource, namespace, object, oldObject } = request;
  const inNamespace = namespace !== "" || resource.id === NAMESPACES;
  if (inNamespace && !hook.selectsEveryNamespace && !hook.namespaceSelector(namespaceLabels)) return false;
  const matches = (candidate: KubeObject | undefined) =>
    candidate !== undefined && hook.objectSelector(candidate.metadata.labels ?? {});
  return (matches(object) || matches(oldObject)) && hook.rules.some((rule) => ruleMatches(rule, request));
}

function ruleMatches(rule: Rule, { operation, resource, subresource, namespace }: Admission): boolean {
  const clusterScoped = namespace === "" || resource.id === NAMESPACES;
  return (
    (rule.scope === "*" || (rule.scope === "Cluster") === clusterScoped) &&
    listed(rule.operations, operation) &&
    listed(rule.apiGroups, resource.group) &&
    listed(rule.apiVersions, resource.version) &&
    rule.resources.some((entry) => {
      const [plural = "", part = ""] = entry.split("/", 2);
      return (plural === "*" || plural === resource.plural) && (part === "*" || part === subresource);
    })
  );
}

const listed = (items: readonly string[], wanted: string): boolean =>
  items.includes("*") || items.includes(wanted);

const texts = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
