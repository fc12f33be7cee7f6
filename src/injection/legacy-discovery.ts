import { SIDECAR_CONTAINER } from "../contract/names.ts";
import { asString, type JsonObject } from "../json/value.ts";

/**
 * The name of a container that keeps an Endpoints object or the pods' role labels by a shell loop of its own: a loop,
 * and a patch of such an object by kubectl or by an HTTP call. Undefined where no container does.
 */
export function legacyDiscoveryContainer(
  containers: readonly JsonObject[],
  patroni: number,
): string | undefined {
  const suspect = containers.find(
    (container, index) => index !== patroni && container.name !== SIDECAR_CONTAINER && loops(container),
  );
  return asString(suspect?.name);
}

const LOOP = /\b(while|until|for)\b/;
const TARGET = /\b(endpoints?|endpointslices?)\b|\blabels?\b[^\n]*\b(role|spilo-role|master|primary)\b/i;
const WRITE = /\bkubectl\b[^\n]*\b(patch|apply|label|replace)\b|\b(PATCH|PUT)\b/;

function loops(container: JsonObject): boolean {
  const script = [container.command, container.args].flatMap((words) =>
    Array.isArray(words) ? words.filter((word) => typeof word === "string") : [],
  );
  const text = script.join("\n").slice(0, 64 * 1024);
  return LOOP.test(text) && TARGET.test(text) && WRITE.test(text);
}
