/**
 * Cuts a file into its documents. Every character is in exactly one slice, so the slices put together again are the
 * file: markers (`---`, `...`), directives, byte order mark and the comments between documents included. Lines are cut
 * as YAML defines it (a marker in the first column ends a document even inside a block scalar), and as kubectl does.
 */
export function splitStream(text: string): string[] {
  return splitJson(text) ?? splitYaml(text);
}

const MARKER = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/;
const BEFORE_CONTENT = /^\uFEFF?[ \t]*(?:#.*|%.*)?\r?\n?$/;

function splitYaml(text: string): string[] {
  const slices: string[] = [];
  let start = 0;
  let hasContent = false;
  for (let here = 0, next = 0; here < text.length; here = next) {
    next = text.indexOf("\n", here) + 1 || text.length;
    const line = text.slice(here, next);
    const marker = MARKER.exec(line.replace(/^\uFEFF/, ""))?.[0];
    if (marker === "---" && hasContent) {
      slices.push(text.slice(start, here));
      start = here;
    } else if (marker === "...") {
      slices.push(text.slice(start, next));
      start = next;
      hasContent = false;
    } else if (marker === "---" || !BEFORE_CONTENT.test(line)) {
      hasContent = true;
    }
  }
  const rest = text.slice(start);
  if (hasContent || slices.length === 0) return rest === "" ? slices : [...slices, rest];
  return [...slices.slice(0, -1), slices.at(-1) + rest];
}

/** JSON values one after the other, as `jq` and older tools write them; undefined where the text is anything else. */
function splitJson(text: string): string[] | undefined {
  const slices: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOfJsonValue(text, start);
    if (end === undefined) return undefined;
    slices.push(text.slice(start, end));
    start = end;
  }
  if (slices.length > 1 && slices.at(-1)?.trim() === "") {
    slices.push(`${slices.splice(-2, 1)[0]}${slices.pop()}`);
  }
  return slices.length > 0 && slices.every(isJson) ? slices : undefined;
}

/** True for an object or array in strict JSON. */
export function isJson(text: string): boolean {
  const bare = text.replace(/^\uFEFF/, "").trim();
  if (!bare.startsWith("{") && !bare.startsWith("[")) return false;
  try {
    JSON.parse(bare);
    return true;
  } catch {
    return false;
  }
}

/** The end of the object or array that starts at or after `start`: behind its last bracket, or of the blank rest. */
function endOfJsonValue(text: string, start: number): number | undefined {
  const TOKEN = /[{[]|[}\]]|"(?:[^"\\]|\\.)*"|[^\s\uFEFF]/gs;
  TOKEN.lastIndex = start;
  let depth = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const token = match[0];
    if (token === "{" || token === "[") depth++;
    else if (depth === 0) return undefined;
    else if ((token === "}" || token === "]") && --depth === 0) return TOKEN.lastIndex;
  }
  return depth === 0 ? text.length : undefined;
}
