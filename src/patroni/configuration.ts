import { type Document, isMap, isScalar, Scalar, type YAMLMap } from "yaml";
import { isObject } from "../json/value.ts";
import { firstLine, isBlank, LONGEST, parseConfiguration } from "./configuration-document.ts";
import { plainJson } from "./configuration-json.ts";

/** The two addresses that a member announces, each `host:port`. */
export interface ConnectAddresses {
  readonly postgres: string;
  readonly restApi: string;
}

/** Where Patroni's configuration has them. */
const PLACES = [
  ["postgresql", "postgres"],
  ["restapi", "restApi"],
] as const;

const KEY = "connect_address";

/** Room for `SPILO_CONFIGURATION=` and the final NUL. */
const NAME_LENGTH = 32;

export type Merge =
  | { readonly kind: "merged"; readonly text: string; readonly kept: readonly string[] }
  | { readonly kind: "unreadable"; readonly why: string };

/**
 * Merges connect addresses into a Patroni configuration given as text (`SPILO_CONFIGURATION`, `PATRONI_CONFIGURATION`),
 * YAML or JSON, which stays what it is; everything else in it is kept as written. An address that `replaces` does not
 * accept is the user's own and stays; `kept` lists those. Where nothing is to change, the text is the very same.
 */
export function mergeConnectAddresses(
  text: string,
  addresses: Partial<ConnectAddresses>,
  replaces: (address: string) => boolean,
): Merge {
  try {
    return merge(text, addresses, replaces);
  } catch (error) {
    return unreadable(messageOf(error));
  }
}

function merge(
  text: string,
  addresses: Partial<ConnectAddresses>,
  replaces: (address: string) => boolean,
): Merge {
  const plain = mergeIntoJson(text, addresses);
  if (plain !== undefined) return { kind: "merged", text: plain, kept: [] };
  const parsed = parseConfiguration(text);
  if (parsed.kind === "unreadable") return parsed;
  const { document } = parsed;
  const style = text.trimStart().startsWith("{") ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN;
  const kept: string[] = [];
  let changed = false;
  for (const [section, purpose] of PLACES) {
    const address = addresses[purpose];
    if (address === undefined) continue;
    const outcome = setAddress(document, section, address, style, replaces);
    if (outcome === "set") changed = true;
    else if (outcome === "kept") kept.push(`${section}.${KEY}`);
    else if (outcome !== "same") return unreadable(outcome);
  }
  if (!changed) return { kind: "merged", text, kept };
  const merged = document.toString({ lineWidth: 0 });
  if (Buffer.byteLength(merged) > LONGEST - NAME_LENGTH)
    return unreadable(`longer than ${LONGEST} bytes when merged`);
  return { kind: "merged", text: text.endsWith("\n") ? merged : merged.replace(/\n$/, ""), kept };
}

/** The common case without YAML's parser: plain JSON whose sections are mappings and set no address yet. */
function mergeIntoJson(text: string, addresses: Partial<ConnectAddresses>): string | undefined {
  const root = plainJson(text);
  if (root === undefined) return undefined;
  for (const [section, purpose] of PLACES) {
    const address = addresses[purpose];
    if (address === undefined) continue;
    const mapping = Object.hasOwn(root, section) ? root[section] : {};
    if (!isObject(mapping) || Object.hasOwn(mapping, KEY)) return undefined;
    root[section] = { ...mapping, [KEY]: address };
  }
  const merged = JSON.stringify(root);
  return Buffer.byteLength(merged) > LONGEST - NAME_LENGTH ? undefined : merged;
}

/** The connect addresses that the text sets, also by way of an alias or a merge key. Unreadable text sets none. */
export function readConnectAddresses(text: string): Partial<ConnectAddresses> {
  try {
    const parsed = parseConfiguration(text);
    const root: unknown = parsed.kind === "document" ? parsed.document.toJS({ mapAsMap: true }) : undefined;
    const addresses = PLACES.map(([section, purpose]) => [purpose, entryOf(entryOf(root, section), KEY)]);
    return Object.fromEntries(addresses.filter(([, address]) => typeof address === "string"));
  } catch {
    return {}; // aliases without end, or a merge of what is no mapping: Patroni cannot read it either
  }
}

const entryOf = (mapping: unknown, key: string): unknown =>
  mapping instanceof Map ? mapping.get(key) : undefined;

function setAddress(
  document: Document,
  section: string,
  address: string,
  style: Scalar.Type,
  replaces: (address: string) => boolean,
): "set" | "same" | "kept" | string {
  const root = isMap(document.contents) ? document.contents : undefined;
  if (occurrences(root, section) > 1) return `${section} stands there twice`;
  const found = root?.get(section, true);
  if (found === undefined && mergesAnother(root)) return `${section} may come from a merge key`;
  const empty = found === undefined || (isScalar(found) && isBlank(found));
  if (!empty && !isMap(found)) return `${section} is not a mapping of its own`;
  const mapping = isMap(found) ? found : undefined;
  if (mapping?.anchor !== undefined) return `${section} is shared by an anchor`;

  if (occurrences(mapping, KEY) > 1) return `${section}.${KEY} stands there twice`;
  const current = mapping?.get(KEY, true);
  if (current === undefined && mergesAnother(mapping)) return `${section}.${KEY} may come from a merge key`;
  if (current !== undefined && !(isScalar(current) && isBlank(current))) {
    if (!isScalar(current) || !replaces(String(current.value))) return "kept";
    if (current.value === address) return "same";
  }
  const value = scalar(address, style);
  if (isScalar(current) && current.comment) value.comment = current.comment;
  if (mapping !== undefined) put(mapping, KEY, value, style);
  else {
    const contents = root ?? document.createNode({});
    document.contents = contents as never;
    const created = document.createNode({});
    put(created, KEY, value, style);
    put(contents, section, created, style);
  }
  return "set";
}

function occurrences(mapping: YAMLMap | undefined, key: string): number {
  return mapping?.items.filter((pair) => isScalar(pair.key) && pair.key.value === key).length ?? 0;
}

/** The parser gives YAML's merge key (`<<`, unquoted) as a symbol. */
function mergesAnother(mapping: YAMLMap | undefined): boolean {
  return mapping?.items.some((pair) => isScalar(pair.key) && typeof pair.key.value === "symbol") ?? false;
}

type Mapping = { set(key: unknown, value: unknown): void; has(key: unknown): boolean };

function put(mapping: Mapping, key: string, value: unknown, style: Scalar.Type): void {
  mapping.set(mapping.has(key) ? key : scalar(key, style), value);
}

function scalar(text: string, style: Scalar.Type): Scalar {
  const node = new Scalar(text);
  node.type = style;
  return node;
}

const messageOf = (error: unknown): string =>
  firstLine(error instanceof Error ? error.message : String(error));
const unreadable = (why: string): Merge => ({ kind: "unreadable", why });
