import { printable } from "../cli/printable.ts";
import { REASONS } from "../contract/reasons.ts";
import type { Decision, Note } from "../injection/decision.ts";
import type { InjectedDocument, Outcome } from "./inject.ts";

/** What was done with a document, and why: one line for each of its objects, without line breaks. */
export function reportLines({ source, outcomes }: InjectedDocument, hasNamespace: boolean): string[] {
  const place = `${source.file}#${source.number}`;
  if (outcomes.length > 0)
    return outcomes.map((outcome) => printable(`${place}${lineOf(outcome, hasNamespace)}`));
  return [printable(`${place}: ${source.value === null ? "empty" : "no objects in it"}, unchanged`)];
}

function lineOf({ item, namespace, decision, missingService }: Outcome, hasNamespace: boolean): string {
  const index = item.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
  const label = `${index} ${item.kind || "object"}${item.name === "" ? "" : `/${item.name}`}`;
  if (decision === undefined) return `${label}: no pods in it, unchanged`;

  const remarks = decision.notes.map(remark);
  if (missingService !== undefined) {
    remarks.push(
      `note: the headless Service "${missingService}" is not in the input; in a cluster the controller makes it`,
    );
  }
  if (item.namespace === undefined && !hasNamespace) {
    remarks.push(`note: no namespace is given, taken for "${namespace}"`);
  }
  return [`${label}: ${verdict(decision)}`, ...remarks].join("; ");
}

function verdict(decision: Decision): string {
  if (decision.kind === "inject") {
    const parts = decision.applied.join(", ") || "labels only";
    return decision.reason === "injected"
      ? `injected (${parts})`
      : `unchanged, ${decision.reason} (${parts})`;
  }
  if (decision.kind === "deny") return `refused, ${decision.reason}`;
  return `unchanged, ${withWords(decision.reason, decision.detail)}`;
}

const remark = ({ reason, detail }: Note): string =>
  `${REASONS[reason].warn ? "warning" : "note"}: ${withWords(reason, detail)}`;

function withWords(reason: keyof typeof REASONS, detail: string): string {
  const words = REASONS[reason].means.replace(/\.$/, "");
  return `${reason}: ${words}${detail === "" ? "" : ` (${detail})`}`;
}
