import { FAMILIES, FINDINGS, type FindingEntry, type FindingFamily } from "../../src/contract/findings.ts";
import { page } from "./markdown.ts";

export function findingsPage(): string {
  return page(
    "Findings of an audit",
    "src/contract/findings.ts",
    "What `patroni-injector audit` may say of a Patroni cluster. An **error** breaks something now, or at the next change of primary; a **warning** is a risk, or costs something; an **info** is what somebody may have decided so.",
    ...FAMILIES.map(familyPart),
  );
}

function familyPart(family: FindingFamily): string {
  const entries = Object.entries<FindingEntry>(FINDINGS).filter(([, entry]) => entry.family === family);
  const title = family.charAt(0).toUpperCase() + family.slice(1);
  return [`## ${title}`, ...entries.map(([code, entry]) => findingPart(code, entry))].join("\n\n");
}

const findingPart = (code: string, { severity, means, matters, remedy }: FindingEntry): string =>
  `### ${code}\n\n**${severity}.** ${means} ${matters}\n\nWhat to do: ${remedy}`;
