import { type Document, parseDocument as parseYaml } from "yaml";
import { isNoDeeperThan, type Json } from "../json/value.ts";
import { inspect } from "./inspect.ts";
import type { Problem } from "./problem.ts";

export type Parsed =
  | {
      readonly kind: "read";
      readonly document: Document.Parsed;
      /** Null for an empty document. Aliased parts are shared: one object in several places. */
      readonly value: Json;
    }
  | { readonly kind: "unreadable"; readonly problems: readonly Problem[] };

/** Far deeper than any manifest; keeps recursion over a value safe. */
const DEEPEST = 200;

const NOT_IN_KUBERNETES = ["binary", "omap", "pairs", "set", "timestamp"].map(
  (name) => `tag:yaml.org,2002:${name}`,
);
const BASE_SIXTY = "TIME";

/**
 * Kubernetes reads manifests with YAML 1.1's scalars (`on` is a boolean, `0644` is octal) and merge keys, but without
 * its dates, base-60 numbers and the other types that JSON has not (sigs.k8s.io/yaml). The AST keeps its source tokens,
 * so that the text can be edited in place.
 */
const OPTIONS: Parameters<typeof parseYaml>[1] = {
  version: "1.1",
  customTags: (tags) =>
    tags.filter(
      (tag) => typeof tag === "string" || (!NOT_IN_KUBERNETES.includes(tag.tag) && tag.format !== BASE_SIXTY),
    ),
  merge: true,
  resolveKnownTags: false,
  stringKeys: true,
  uniqueKeys: false, // would compare all keys of a map pairwise; inspect() does it in linear time
  keepSourceTokens: true,
  prettyErrors: false,
  logLevel: "error",
};

/** Reads one document. Never throws: whatever the text is, the answer is a value or a list of problems. */
export function parseDocument(text: string): Parsed {
  try {
    const document = parseYaml(text, OPTIONS);
    const problems = document.errors.length > 0 ? syntaxProblems(document) : inspect(document);
    if (problems.length > 0) return { kind: "unreadable", problems };
    const value: Json = document.toJS({ maxAliasCount: -1 }) ?? null; // inspect() limits what aliases add up to
    return isNoDeeperThan(value, DEEPEST) ? { kind: "read", document, value } : unreadable(TOO_DEEP);
  } catch (error) {
    return unreadable(error instanceof RangeError ? TOO_DEEP : (error as Error).message);
  }
}

const TOO_DEEP = `nested deeper than ${DEEPEST} levels`;

const unreadable = (message: string): Parsed => ({ kind: "unreadable", problems: [{ offset: 0, message }] });

function syntaxProblems(document: Document.Parsed): Problem[] {
  const overflow = document.errors.find(({ message }) => message.startsWith("Maximum call stack"));
  if (overflow !== undefined) return [{ offset: overflow.pos[0], message: TOO_DEEP }];
  return document.errors.map(({ pos, message }) => ({ offset: pos[0], message }));
}
