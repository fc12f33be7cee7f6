import { type Document, isMap, isScalar, LineCounter, parseDocument, Scalar, type YAMLMap } from "yaml";

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

export type Merge =
  | { readonly kind: "merged"; readonly text: string; readonly kept: readonly string[] }
  | { readonly kind: "unreadable"; readonly why: string };

/** No single environment string can be longer (Linux, MAX_ARG_STRLEN). */
const LONGEST = 128 * 1024;

const DEEPEST = 200;

/**
 * Merges connect addresses into a Patroni configuration given as text (`SPILO_CONFIGURATION`, `PATRONI_CONFIGURATION`),
 * YAML or JSON, which stays what it is. Everything else in it is kept as written: scalars are read as text, so nothing
 * is lost on the way between YAML 1.1 (what Spilo's PyYAML reads: octal numbers, `on`) and 1.2. An address that `replaces`
 * does not accept is the user's own and stays; `kept` lists those. Where nothing is to change, the text is the very same.
 */
export function mergeConnectAddresses(
  text: string,
  addresses: Partial<ConnectAddresses>,
  replaces: (address: string) => boolean,
): Merge {
  if (text.length > LONGEST) return unreadable(`longer than ${LONGEST} characters`);
  if (isNestedDeeply(text)) return unreadable("nested too deeply");
  try {
    return merge(text, addresses, replaces);
  } catch (error) {
    return unreadable(firstLine(error instanceof Error ? error.message : String(error)));
  }
}

function merge(
  text: string,
  addresses: Partial<ConnectAddresses>,
  replaces: (address: string) => boolean,
): Merge {
  const lineCounter = new LineCounter();
  const document: Document = parseDocument(text, {
    schema: "failsafe",
    logLevel: "error",
    lineCounter,
    prettyErrors: false, // would format every error; only the first is told
    uniqueKeys: false, // would compare all keys pairwise; the two sections are looked at below
  });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    return unreadable(`${firstLine(problem.message)} (line ${line}, column ${col})`);
  }
  if (document.contents !== null && !isBlank(document) && !isMap(document.contents))
    return unreadable("not a mapping");

  const style = text.trimStart().startsWith("{") ? Scalar.QUOTE_DOUBLE : Scalar.PLAIN;
  const kept: string[] = [];
  let changed = false;
  for (const [section, purpose] of PLACES) {
    const address = addresses[purpose];
    if (address === undefined) continue;
    const outcome = setAddress(document, section, address, style, replaces);
    if (outcome === "set") changed = true;
    else if (outcome === "kept") kept.push(`${section}.connect_address`);
    else if (outcome !== "same") return unreadable(outcome);
  }
  if (!changed) return { kind: "merged", text, kept };
  const merged = document.toString({ lineWidth: 0 });
  return { kind: "merged", text: text.endsWith("\n") ? merged : merged.replace(/\n$/, ""), kept };
}

/**
 * More open brackets, or indicators of a nested block on one line, than any real configuration has: the parser works by
 * recursion and takes long to fail.
 */
function isNestedDeeply(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
    if (depth > DEEPEST) return true;
  }
  return /([-?:]\s+){50}/.test(text);
}

/** The connect addresses that the text sets. Unreadable text sets none. */
export function readConnectAddresses(text: string): Partial<ConnectAddresses> {
  const found: Partial<Record<keyof ConnectAddresses, string>> = {};
  for (const [, purpose] of PLACES) {
    mergeConnectAddresses(text, { [purpose]: "" }, (address) => {
      found[purpose] = address;
      return false;
    });
  }
  return found;
}

function setAddress(
  document: Document,
  section: string,
  address: string,
  style: Scalar.Type,
  replaces: (address: string) => boolean,
): "set" | "same" | "kept" | string {
  if (isMap(document.contents) && occurrences(document.contents, section) > 1)
    return `${section} stands there twice`;
  const mapping = isMap(document.contents) ? document.contents.get(section, true) : undefined;
  const empty = mapping === undefined || (isScalar(mapping) && blank(mapping));
  if (!empty && !isMap(mapping)) return `${section} is not a mapping of its own`;
  if (isMap(mapping) && mapping.anchor !== undefined) return `${section} is shared by an anchor`;

  if (isMap(mapping) && occurrences(mapping, "connect_address") > 1)
    return `${section}.connect_address stands there twice`;

  const current = isMap(mapping) ? mapping.get("connect_address", true) : undefined;
  if (current !== undefined && !(isScalar(current) && blank(current))) {
    if (!isScalar(current) || !replaces(String(current.value))) return "kept";
    if (current.value === address) return "same";
  }
  const value = scalar(address, style);
  if (isMap(mapping)) put(mapping, "connect_address", value, style);
  else {
    const contents = isMap(document.contents) ? document.contents : document.createNode({});
    document.contents = contents as never;
    const created = document.createNode({});
    put(created, "connect_address", value, style);
    put(contents, section, created, style);
  }
  return "set";
}

function occurrences(mapping: YAMLMap, key: string): number {
  return mapping.items.filter((pair) => isScalar(pair.key) && pair.key.value === key).length;
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

const blank = (node: Scalar): boolean =>
  node.value === "" || node.value === null || node.value === "~" || node.value === "null";
const isBlank = (document: Document): boolean => isScalar(document.contents) && blank(document.contents);
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
const unreadable = (why: string): Merge => ({ kind: "unreadable", why });
