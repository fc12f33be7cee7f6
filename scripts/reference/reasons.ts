import { REASONS, type ReasonEntry } from "../../src/contract/reasons.ts";
import { code, page, table } from "./markdown.ts";

export function reasonsPage(): string {
  return page(
    "Reason codes",
    "src/contract/reasons.ts",
    "Why something was done, not done or refused. The same word stands in the warning, the audit annotation, the metric label, the log and the Event. **W**: also sent to the API client as a warning.",
    "## Of a decision\n\nExactly one for each pod.",
    reasonTable("decision"),
    "## Of one part\n\nAny number beside the decision, each about one part of the injection.",
    reasonTable("part"),
    "## Of a cluster\n\nAny number for each Patroni cluster, in Events on what owns its pods.",
    reasonTable("cluster"),
  );
}

function reasonTable(level: ReasonEntry["level"]): string {
  const rows = Object.entries<ReasonEntry>(REASONS)
    .filter(([, entry]) => entry.level === level)
    .map(([reason, { warn, means, remedy }]) => [code(reason), warn ? "W" : "", means, remedy]);
  return table(["Reason", "", "Meaning", "What to do"], rows);
}
