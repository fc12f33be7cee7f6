import { figure, table } from "./table.ts";

/** Something that was measured. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** At most this. */
  readonly target?: number;
}

/** How many miss their target. */
export const missed = (figures: readonly Figure[]): number =>
  figures.filter(({ value, target }) => target !== undefined && value > target).length;

export const shown = (figures: readonly Figure[]): string =>
  table<Figure>(
    [
      { title: "", align: "left", cell: ({ what }) => what },
      { title: "value", align: "right", cell: ({ value }) => figure(value) },
      { title: "unit", align: "left", cell: ({ unit }) => unit },
      { title: "target", align: "right", cell: ({ target }) => (target === undefined ? "" : `≤ ${target}`) },
    ],
    figures,
  );
