import { type Document, isMap, isNode, isScalar, type LineCounter } from "yaml";
import { z } from "zod";
import { at, type JsonObject } from "../json/value.ts";
import { nearest } from "./nearest.ts";
import { configSchema } from "./schema.ts";

/** One thing that is wrong with a configuration file, in one line: `config.yaml:3:9: webhook.port: expected …`. */
export type Problem = string;

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.join("\n"), options);
    this.problems = problems;
  }
}

type Path = readonly PropertyKey[];

/** The YAML document that a problem is in: names its lines. */
export interface Source {
  readonly name: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** The schema's complaints in the order of the file, each with the place of the bad key. */
export function problemsIn(issues: readonly z.core.$ZodIssue[], source: Source): Problem[] {
  const located = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => locate(source, [...issue.path, key], unknownKey(issue.path, key)))
      : [locate(source, issue.path, issue.message)],
  );
  const texts = located.sort((one, other) => one.offset - other.offset).map(({ text }) => text);
  return [...new Set(texts)];
}

export function problemAt(source: Pick<Source, "name" | "lines">, offset: number, message: string): Problem {
  const { line, col } = source.lines.linePos(offset);
  return `${source.name}:${line}:${col}: ${message}`;
}

function locate(source: Source, path: Path, message: string): { offset: number; text: Problem } {
  const offset = offsetOf(source.document, path);
  const said = path.length === 0 ? message : `${written(path)}: ${message}`;
  return offset === undefined
    ? { offset: Number.MAX_SAFE_INTEGER, text: `${source.name}: ${said}` }
    : { offset, text: problemAt(source, offset, said) };
}

/** Where the key at the end of the path stands (the value, in a list); undefined where it is not in the file. */
function offsetOf(document: Document.Parsed, path: Path): number | undefined {
  const parent = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(parent)) {
    const key = parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === last)?.key;
    return isScalar(key) ? key.range?.[0] : undefined;
  }
  const value = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(value) ? value.range?.[0] : undefined;
}

const PLAIN_KEY = /^[-\w]{1,60}$/;

/** `selectors[0].key` */
function written(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    const key = PLAIN_KEY.test(String(step)) ? String(step) : JSON.stringify(String(step));
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

function unknownKey(section: Path, key: string): string {
  const known = knownKeys(section);
  const meant = nearest(key, known);
  return meant === undefined
    ? `unknown key; known here are ${known.join(", ")}`
    : `unknown key; did you mean ${JSON.stringify(meant)}?`;
}

/** The keys that the schema allows in a section. */
function knownKeys(section: Path): string[] {
  const schema = z.toJSONSchema(configSchema, { io: "input" }) as JsonObject;
  const steps = section.flatMap((step) =>
    typeof step === "number" ? ["items"] : ["properties", String(step)],
  );
  return Object.keys((at(schema, ...steps, "properties") ?? {}) as JsonObject);
}
