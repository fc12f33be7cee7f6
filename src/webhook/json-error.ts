/** A token's kind is its own character, or one of the two that have many forms. */
type Token = "{" | "}" | "[" | "]" | "," | ":" | "string" | "literal";

/** `after-…`: a value stands, and what encloses it says what may follow. */
type Expecting =
  | "value"
  | "first-item"
  | "first-key"
  | "key"
  | "colon"
  | "after-text"
  | "after-item"
  | "after-pair";

type Step = Expecting | "open" | "close" | "done";

const VALUE = { string: "done", literal: "done", "{": "open", "[": "open" } as const;

/** RFC 8259 as a table: what a token leads to; no entry is a mistake. */
const GRAMMAR: Readonly<Record<Expecting, Readonly<Partial<Record<Token, Step>>>>> = {
  value: VALUE,
  "first-item": { ...VALUE, "]": "close" },
  "first-key": { string: "colon", "}": "close" },
  key: { string: "colon" },
  colon: { ":": "value" },
  "after-text": {},
  "after-item": { ",": "value", "]": "close" },
  "after-pair": { ",": "key", "}": "close" },
};

/**
 * The offset of the first character that no JSON text can have there (the text's length where it ends too early), or
 * undefined where the text is JSON. Walks without recursion, so any depth is safe.
 */
export function jsonErrorOffset(text: string): number | undefined {
  const enclosing: Token[] = [];
  let expecting: Expecting = "value";
  for (let here = afterSpace(text, 0); here < text.length; ) {
    const token = tokenAt(text, here);
    const step: Step | undefined = token && GRAMMAR[expecting][token];
    if (token === undefined || step === undefined) return here;
    const end = endOf(token, text, here);
    if (end.broken) return end.offset;
    here = afterSpace(text, end.offset);

    if (step === "open") {
      enclosing.push(token);
      expecting = token === "{" ? "first-key" : "first-item";
    } else if (step === "close" || step === "done") {
      if (step === "close") enclosing.pop();
      expecting = AFTER[enclosing.at(-1) ?? ""] ?? "after-text";
    } else {
      expecting = step;
    }
  }
  return expecting === "after-text" ? undefined : text.length;
}

const AFTER: Readonly<Record<string, Expecting>> = { "{": "after-pair", "[": "after-item" };

function afterSpace(text: string, start: number): number {
  let here = start;
  while (here < text.length && " \t\n\r".includes(text.charAt(here))) here++;
  return here;
}

function tokenAt(text: string, here: number): Token | undefined {
  const character = text.charAt(here);
  if ("{}[],:".includes(character)) return character as Token;
  if (character === '"') return "string";
  return "-0123456789tfn".includes(character) ? "literal" : undefined;
}

/** Where a token ends, or where it is broken. */
interface End {
  readonly offset: number;
  readonly broken: boolean;
}

function endOf(token: Token, text: string, start: number): End {
  if (token === "string") return endOfString(text, start);
  return token === "literal" ? match(LITERAL, text, start) : { offset: start + 1, broken: false };
}

const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function endOfString(text: string, start: number): End {
  let here = start + 1;
  while (here < text.length && text.charAt(here) >= " ") {
    const character = text.charAt(here);
    if (character === '"') return { offset: here + 1, broken: false };
    if (character !== "\\") {
      here++;
      continue;
    }
    const escaped = match(ESCAPE, text, here);
    if (escaped.broken) return escaped;
    here = escaped.offset;
  }
  return { offset: here, broken: true };
}

function match(pattern: RegExp, text: string, start: number): End {
  pattern.lastIndex = start;
  return pattern.test(text) ? { offset: pattern.lastIndex, broken: false } : { offset: start, broken: true };
}
