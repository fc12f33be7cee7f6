import assert from "node:assert/strict";
import type { Json } from "../../../src/json/value.ts";

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

type Holder = Record<string, Json | undefined>;

/** RFC 6902, as strict as the API server's own: applies to a copy, and fails where a place does not exist. */
export function applyJsonPatch(document: Json, operations: readonly Operation[]): Json {
  const root: Holder = { whole: structuredClone(document) };
  for (const { op, path, from, value } of operations) {
    if (op === "add") add(root, path, structuredClone(value ?? null));
    else if (op === "remove") remove(root, path);
    else if (op === "replace") {
      remove(root, path);
      add(root, path, structuredClone(value ?? null));
    } else if (op === "move") add(root, path, remove(root, from ?? assert.fail("move without from")));
    else assert.fail(`operation ${op}`);
  }
  return root.whole ?? null;
}

/** The container of the place, and its last key (RFC 6901). */
function locate(root: Holder, path: string): [holder: Holder | Json[], key: string] {
  const keys = ["whole", ...path.split("/").slice(1)].map((key) =>
    key.replaceAll("~1", "/").replaceAll("~0", "~"),
  );
  const last = keys.pop() ?? "";
  let holder: Holder | Json[] = root;
  for (const key of keys) {
    assert.ok(Object.hasOwn(holder, key), `no ${key} on the way to ${path}`);
    holder = (holder as Holder)[key] as Holder;
    assert.ok(typeof holder === "object" && holder !== null, `nothing can be at ${path}`);
  }
  return [holder, last];
}

function add(root: Holder, path: string, value: Json): void {
  const [holder, key] = locate(root, path);
  if (Array.isArray(holder)) {
    const index = key === "-" ? holder.length : Number(key);
    assert.ok(Number.isInteger(index) && index >= 0 && index <= holder.length, `no index ${path}`);
    holder.splice(index, 0, value);
  } else Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

function remove(root: Holder, path: string): Json {
  const [holder, key] = locate(root, path);
  assert.ok(Object.hasOwn(holder, key), `nothing to remove at ${path}`);
  if (Array.isArray(holder)) return holder.splice(Number(key), 1)[0] as Json;
  const value = holder[key] as Json;
  delete holder[key];
  return value;
}
