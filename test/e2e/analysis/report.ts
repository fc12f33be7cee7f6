import { percentile } from "../../../bench/statistics.ts";
import { type Column, figure, table } from "../../../bench/table.ts";
import type { FaultFigure, Figure } from "./figure.ts";

const right = (
  title: string,
  value: (row: FaultFigure) => number | undefined,
  show: (value: number | undefined) => string = figure,
): Column<FaultFigure> => ({ title, align: "right", cell: (row) => show(value(row)) });

const count = (value: number | undefined): string => String(value ?? "–");

const FAULT_COLUMNS: readonly Column<FaultFigure>[] = [
  { title: "cluster", align: "left", cell: ({ form }) => form },
  { title: "fault", align: "left", cell: ({ fault }) => fault },
  right("unavailable ms", ({ unavailableMs }) => unavailableMs),
  right("→ promoted", ({ struckToPromotedMs }) => struckToPromotedMs),
  right("→ removed", ({ struckToRemovedMs }) => struckToRemovedMs),
  right("promoted → published", ({ promotedToPublishedMs }) => promotedToPublishedMs),
  right("→ written", ({ publishedToWrittenMs }) => publishedToWrittenMs),
  right("acked", ({ outcomes }) => outcomes.acknowledged, count),
  right("unknown", ({ outcomes }) => outcomes.unknown, count),
  right("read-only", ({ outcomes }) => outcomes.readOnly, count),
  right("lost", ({ lost }) => lost, count),
  right("two", ({ twoAtOnce }) => twoAtOnce, count),
];

const LEGEND = `unavailable: the longest time between two acknowledged writes of one client
→ promoted, → removed: from the fault to PostgreSQL taking writes elsewhere, and to the former address gone from the slice
promoted → published → written: PostgreSQL takes writes, the slice shows it, the client's first write there is acknowledged
unknown: sent and not answered; read-only: reached a server that takes no writes; lost: acknowledged and not stored at the end;
two: moments with two addresses in the slice`;

/** What people read at the end of a run. */
export function reportText(figures: readonly Figure[]): string {
  const faults = figures.filter(({ kind }) => kind === "fault") as FaultFigure[];
  const numbers = figures.flatMap((entry) => (entry.kind === "number" ? [entry] : []));
  const lines = numbers.map(({ what, value, unit }) => `${what}: ${figure(value)} ${unit}`);
  for (const [title, of] of SPREADS) {
    const values = faults.flatMap((row) => of(row) ?? []).sort((one, other) => one - other);
    const at = (percent: number) => figure(percentile(values, percent));
    lines.push(
      `${title}, ${values.length} failovers: p50 ${at(50)} ms, p99 ${at(99)} ms, longest ${at(100)} ms`,
    );
  }
  const rows = faults.length === 0 ? [] : ["", table(FAULT_COLUMNS, faults), "", LEGEND];
  return [...lines, ...rows].join("\n");
}

const SPREADS: readonly [title: string, of: (row: FaultFigure) => number | undefined][] = [
  ["promoted → published", ({ promotedToPublishedMs }) => promotedToPublishedMs],
  ["published → first acknowledged write", ({ publishedToWrittenMs }) => publishedToWrittenMs],
];
