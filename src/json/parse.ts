import { asObject, type JsonObject } from "./value.ts";

/** The object that a text is; undefined where it is anything else. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}
