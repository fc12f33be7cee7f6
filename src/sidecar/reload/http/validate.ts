import type { Schema } from "../../../contract/reload-schemas.ts";
import { isObject } from "../../../json/value.ts";

/** What a value is that its schema does not allow, in words; undefined where it is allowed. The first fault is told. */
export function faultIn(value: unknown, schema: Schema, where = "the body"): string | undefined {
  switch (schema.type) {
    case "integer": {
      const { minimum: least = -Infinity, maximum: most = Infinity } = schema;
      if (typeof value !== "number" || !Number.isSafeInteger(value)) return `${where} must be a whole number`;
      return value < least || value > most ? `${where} must be from ${least} to ${most}` : undefined;
    }
    case "string":
      if (typeof value !== "string") return `${where} must be a string`;
      return schema.enum === undefined || schema.enum.includes(value)
        ? undefined
        : `${where} must be one of ${schema.enum.join(", ")}`;
    case "boolean":
      return typeof value === "boolean" ? undefined : `${where} must be true or false`;
    case "array":
      if (!Array.isArray(value)) return `${where} must be a list`;
      return first(value, (item, index) => faultIn(item, schema.items, `${where}[${index}]`));
    case "object": {
      if (!isObject(value)) return `${where} must be an object`;
      const { properties, required } = schema;
      const unknown = Object.keys(value).find((key) => !Object.hasOwn(properties, key));
      if (unknown !== undefined) return `${where} must not have ${JSON.stringify(unknown.slice(0, 40))}`;
      const missing = required.find((key) => value[key] === undefined);
      if (missing !== undefined) return `${where} must have "${missing}"`;
      return first(Object.entries(properties), ([key, property]) =>
        value[key] === undefined ? undefined : faultIn(value[key], property, `"${key}"`),
      );
    }
  }
}

function first<Item>(
  items: readonly Item[],
  faultOf: (item: Item, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const fault = faultOf(item, index);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
