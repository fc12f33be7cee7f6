import { asObject, asString, at, objectsIn } from "../../json/value.ts";

export type Labels = Readonly<Record<string, string>>;

/**
 * Whether a `metav1.LabelSelector` selects: every entry of `matchLabels` and every requirement of `matchExpressions` must hold. An
 * empty one selects everything. What an absent one means depends on where it is absent: the caller must know.
 */
export function selects(selector: unknown, labels: Labels): boolean {
  const wanted = Object.entries(asObject(at(selector, "matchLabels")) ?? {});
  return (
    wanted.every(([key, value]) => labelOf(labels, key) === value) &&
    objectsIn(at(selector, "matchExpressions")).every((requirement) => holds(requirement, labels))
  );
}

/** An operator that Kubernetes does not have selects nothing; the API server refuses it anyhow. */
function holds(requirement: object, labels: Labels): boolean {
  const value = labelOf(labels, asString(at(requirement, "key")) ?? "");
  const listed = at(requirement, "values");
  const isListed = value !== undefined && Array.isArray(listed) && listed.includes(value);
  switch (at(requirement, "operator")) {
    case "In":
      return isListed;
    case "NotIn":
      return !isListed;
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}

const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;
