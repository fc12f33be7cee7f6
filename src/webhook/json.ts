import { jsonErrorOffset } from "./json-error.ts";

/** A body's JSON value, or in words what is wrong with it and where. */
export type Parsed = { readonly value: unknown } | { readonly problem: string };

/** JSON.parse, but with the place of the mistake: the engine's own message often has none, and quotes the body. */
export function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch {
    const offset = jsonErrorOffset(text) ?? text.length;
    const before = text.slice(0, offset).split("\n");
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    return { problem: offset >= text.length ? `it ends too early, at ${place}` : `mistake at ${place}` };
  }
}
