import { at, type Json } from "../../src/json/value.ts";
import { badRequest } from "./status.ts";

/** True where the thing is selected. */
export type Predicate<T> = (value: T) => boolean;

type Labels = Readonly<Record<string, string>>;
type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";

interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

const KEY = "(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?";
const VALUE = "[-A-Za-z0-9_.]*";

/** One row a form of requirement in the label selector language. */
const FORMS: readonly [RegExp, (key: string, operand: string) => Requirement][] = [
  [
    new RegExp(`^(${KEY})\\s*(?:==?)\\s*(${VALUE})$`),
    (key, value) => ({ key, operator: "In", values: [value] }),
  ],
  [
    new RegExp(`^(${KEY})\\s*!=\\s*(${VALUE})$`),
    (key, value) => ({ key, operator: "NotIn", values: [value] }),
  ],
  [
    new RegExp(`^(${KEY})\\s+in\\s*\\(([^()]*)\\)$`),
    (key, set) => ({ key, operator: "In", values: members(set) }),
  ],
  [
    new RegExp(`^(${KEY})\\s+notin\\s*\\(([^()]*)\\)$`),
    (key, set) => ({ key, operator: "NotIn", values: members(set) }),
  ],
  [new RegExp(`^(${KEY})\\s*>\\s*(-?\\d+)$`), (key, value) => ({ key, operator: "Gt", values: [value] })],
  [new RegExp(`^(${KEY})\\s*<\\s*(-?\\d+)$`), (key, value) => ({ key, operator: "Lt", values: [value] })],
  [new RegExp(`^!\\s*(${KEY})$`), (key) => ({ key, operator: "DoesNotExist", values: [] })],
  [new RegExp(`^(${KEY})$`), (key) => ({ key, operator: "Exists", values: [] })],
];

const members = (set: string): string[] => set.split(",").map((value) => value.trim());

function satisfied({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) > BigInt(values[0] ?? 0);
    case "Lt":
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) < BigInt(values[0] ?? 0);
  }
}

function parseRequirement(text: string): Requirement {
  for (const [form, build] of FORMS) {
    const match = form.exec(text);
    if (match?.[1] !== undefined) return build(match[1], match[2] ?? "");
  }
  throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`);
}

/** The label selector of a query: `a=b,c!=d,e in (f,g),!h`. Empty selects everything. */
export function labelSelector(text: string): Predicate<Labels> {
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  if (parts.length === 1 && parts[0] === "") return () => true;
  const requirements = parts.map(parseRequirement);
  return (labels) => requirements.every((requirement) => satisfied(requirement, labels));
}

const OPERATORS: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/**
 * The selector of an object (`metav1.LabelSelector`): `matchLabels` and `matchExpressions`, all of which must
 * hold. Absent or empty selects everything.
 * @throws Error for an operator that does not exist
 */
export function objectSelector(selector: Json | undefined): Predicate<Labels> {
  const equal = Object.entries(at(selector, "matchLabels") ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: "In", values: [String(value)] }),
  );
  const expressions = at(selector, "matchExpressions");
  const listed = (Array.isArray(expressions) ? expressions : []).map((entry): Requirement => {
    const [key, operator, values] = [at(entry, "key"), at(entry, "operator"), at(entry, "values")];
    if (typeof operator !== "string" || !OPERATORS.has(operator)) {
      throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`);
    }
    return {
      key: String(key),
      operator: operator as Operator,
      values: Array.isArray(values) ? values.map(String) : [],
    };
  });
  const requirements = [...equal, ...listed];
  return (labels) => requirements.every((requirement) => satisfied(requirement, labels));
}

/** A field as the selector compares it: absent is the empty string. */
function fieldText(object: Json, path: readonly string[]): string {
  const value = at(object, ...path);
  return value === undefined || value === null ? "" : String(value);
}

/**
 * The field selector of a query: `metadata.name=a,status.phase!=Running`.
 * @param selectable fields beside `metadata.name` and `metadata.namespace`
 */
export function fieldSelector(text: string, selectable: readonly string[]): Predicate<Json> {
  const terms = text
    .split(",")
    .filter((term) => term !== "")
    .map((term) => {
      const match = /^([^=!]+)(!=|==?)(.*)$/.exec(term);
      if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
      const [, field = "", operator, value = ""] = match;
      if (field !== "metadata.name" && field !== "metadata.namespace" && !selectable.includes(field)) {
        throw badRequest(
          selectable.length > 0
            ? `field label not supported: ${field}`
            : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
        );
      }
      return { path: field.split("."), equal: operator !== "!=", value };
    });
  return (object) => terms.every(({ path, equal, value }) => (fieldText(object, path) === value) === equal);
}
