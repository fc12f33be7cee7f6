import {
  ANNOTATIONS,
  type AnnotationName,
  type AnnotationValues,
  annotationKey,
  STATUS_ANNOTATION,
} from "../contract/annotations.ts";
import { DOMAIN } from "../contract/names.ts";
import { isObject, type JsonObject } from "../json/value.ts";

const NAMES = Object.keys(ANNOTATIONS) as AnnotationName[];
const LONGEST_QUOTE = 60;
const MOST_PROBLEMS = 10;

export interface Options {
  readonly values: AnnotationValues;
  /** One sentence for each annotation whose value is not allowed: the annotation, the value, what is allowed. */
  readonly problems: readonly string[];
}

/** Reads this product's annotations of a pod. An annotation of our domain that does not exist is a problem too. */
export function readOptions(pod: JsonObject): Options {
  const annotations =
    isObject(pod.metadata) && isObject(pod.metadata.annotations) ? pod.metadata.annotations : {};
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const key of Object.keys(annotations)) {
    if (!key.startsWith(`${DOMAIN}/`) || key === STATUS_ANNOTATION) continue;
    const name = NAMES.find((candidate) => annotationKey(candidate) === key);
    if (name === undefined) {
      problems.push(`annotation ${quoted(key)} does not exist${suggestion(key)}`);
      continue;
    }
    const { syntax } = ANNOTATIONS[name];
    const value = syntax.read(String(annotations[key]));
    if (value === undefined) {
      problems.push(
        `annotation ${key}: ${quoted(String(annotations[key]))} is not allowed; allowed is ${syntax.allowed}`,
      );
    } else {
      values[name] = value;
    }
  }
  return { values: values as AnnotationValues, problems: firstOf(problems) };
}

/** Annotations may be many; a message is read by people. */
function firstOf(problems: readonly string[]): readonly string[] {
  if (problems.length <= MOST_PROBLEMS) return problems;
  return [...problems.slice(0, MOST_PROBLEMS), `and ${problems.length - MOST_PROBLEMS} more annotations`];
}

function suggestion(key: string): string {
  const wanted = key.slice(DOMAIN.length + 1);
  const near = NAMES.find((name) => name.startsWith(wanted) || wanted.startsWith(name));
  return near === undefined ? "" : `; did you mean ${annotationKey(near)}?`;
}

const quoted = (text: string): string =>
  JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
