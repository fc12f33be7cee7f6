import { isObject, type JsonObject } from "../json/value.ts";

/**
 * The text as a value, where it is JSON to the letter as `JSON.stringify` writes it, which is what operators generate:
 * such a text can be changed as a value, and nothing is lost on the way. Undefined for any other text.
 */
export function plainJson(text: string): JsonObject | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}
