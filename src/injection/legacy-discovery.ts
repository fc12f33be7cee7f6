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
const OBJECT = /\b(endpoints?|endpointslices?)\b/i;
const LABEL = /\blabels?\b/i;
const ROLE = /\b(role|spilo-role|master|primary)\b/i;
const KUBECTL = /\bkubectl\b/;
const VERB = /\b(patch|apply|label|replace)\b/;
/** Also as curl takes it, without a space: `-XPATCH`. */
const METHOD = /(\b|-X)(PATCH|PUT)\b/;

function loops(container: JsonObject): boolean {
  const script = [container.command, container.args].flatMap((words) =>
    Array.isArray(words) ? words.filter((word) => typeof word === "string") : [],
  );
  const text = script.join("\n").slice(0, 64 * 1024);
  if (!LOOP.test(text)) return false;
  const lines = text.split("\n");
  const targets = OBJECT.test(text) || lines.some((line) => stand(line, LABEL, ROLE));
  return targets && (METHOD.test(text) || lines.some((line) => stand(line, KUBECTL, VERB)));
}

/** The one stands before the other. One expression for both would take quadratic time on a hostile line. */
function stand(line: string, one: RegExp, other: RegExp): boolean {
  const first = one.exec(line);
  return first !== null && other.test(line.slice(first.index + first[0].length));
}
