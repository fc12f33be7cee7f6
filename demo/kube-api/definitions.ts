import { asObject, asString, at, type JsonObject, objectsIn } from "../../src/json/value.ts";
import type { KubeObject } from "./objects.ts";
import { defineResource, type Resource } from "./resource.ts";

/** A CustomResourceDefinition as a resource: its storage version, which is the only one served here. */
export function customResource(definition: KubeObject): Resource | undefined {
  const spec = definition.spec;
  const version = objectsIn(at(spec, "versions")).find((entry) => entry.storage === true);
  const names = asObject(at(spec, "names"));
  const [group, plural, kind] = [asString(at(spec, "group")), asString(names?.plural), asString(names?.kind)];
  const name = asString(version?.name);
  if (group === undefined || plural === undefined || kind === undefined || name === undefined)
    return undefined;
  const shortNames = Array.isArray(names?.shortNames)
    ? names.shortNames.filter((entry) => typeof entry === "string")
    : [];
  return defineResource({
    group,
    version: name,
    plural,
    kind,
    shortNames,
    namespaced: at(spec, "scope") === "Namespaced",
    ...(at(version, "subresources", "status") === undefined ? {} : { initialStatus: () => undefined }),
    unconditionalUpdate: false,
    custom: true,
  });
}

/** Served as soon as it is created. */
export function established(definition: KubeObject): JsonObject {
  const condition = (type: string) => ({ type, status: "True", reason: "Embedded", message: "" });
  return {
    acceptedNames: asObject(at(definition.spec, "names")) ?? {},
    conditions: [condition("NamesAccepted"), condition("Established")],
    storedVersions: [customResource(definition)?.version ?? ""],
  };
}
