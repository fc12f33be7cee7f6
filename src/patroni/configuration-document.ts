import { type Document, isMap, isScalar, LineCounter, parseDocument, type Scalar } from "yaml";

export type Parsed =
  | { readonly kind: "document"; readonly document: Document }
  | { readonly kind: "unreadable"; readonly why: string };

/** No single environment string can be longer, in bytes, with its name (Linux, MAX_ARG_STRLEN). */
export const LONGEST = 128 * 1024;

const DEEPEST = 200;

/**
 * Parses a Patroni configuration given as text, YAML or JSON. Scalars are read as text, so nothing is lost on the way
 * between YAML 1.1 (what Spilo's PyYAML reads: octal numbers, `on`) and 1.2. Takes bounded time for any text.
 */
export function parseConfiguration(text: string): Parsed {
  if (text.length > LONGEST) return unreadable(`longer than ${LONGEST} characters`);
  if (isNestedDeeply(text)) return unreadable("nested too deeply");
  const lineCounter = new LineCounter();
  const document: Document = withoutStackTraces(() =>
    parseDocument(text, {
      schema: "failsafe",
      merge: true,
      logLevel: "error",
      lineCounter,
      prettyErrors: false, // would format every error; only the first is told
      uniqueKeys: false, // would compare all keys pairwise
    }),
  );
  const problem = document.errors[0];
  if (problem !== undefined) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    return unreadable(`${firstLine(problem.message)} (line ${line}, column ${col})`);
  }
  const { contents } = document;
  if (contents !== null && !(isScalar(contents) && isBlank(contents)) && !isMap(contents))
    return unreadable("not a mapping");
  return { kind: "document", document };
}

/** True for a scalar that stands for nothing: empty, or YAML's null. */
export const isBlank = ({ value }: Scalar): boolean =>
  value === "" || value === null || value === "~" || value === "null";

export const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

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

/** The parser makes an Error for every odd character of a broken text; most of their price is the stack trace. */
function withoutStackTraces<Result>(run: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const unreadable = (why: string): Parsed => ({ kind: "unreadable", why });
