import { asString, at, isObject, type Json, objectsIn } from "../../src/json/value.ts";

/**
 * The resourceVersion that a write rests on, from its body: that of the object, a JSON patch's test of it, or a deletion's
 * precondition. Undefined where it rests on none, or on one that says nothing ("" and "0").
 */
export function restsOn(body: string): string | undefined {
  const sent = parsed(body);
  const version = Array.isArray(sent)
    ? objectsIn(sent).find(({ op, path }) => op === "test" && path === "/metadata/resourceVersion")?.value
    : isObject(sent)
      ? (at(sent, "preconditions", "resourceVersion") ?? at(sent, "metadata", "resourceVersion"))
      : undefined;
  return asString(version) === "0" ? undefined : asString(version) || undefined;
}

function parsed(body: string): Json {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
