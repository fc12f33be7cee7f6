/** What became of one object. */
export interface Row {
  readonly namespace: string;
  /** The value of the cluster's label. */
  readonly cluster: string;
  /** `<resource>/<name>`. */
  readonly object: string;
  readonly done: string;
  /** There is still something to do, or that failed. */
  readonly open: boolean;
}

const HEADER = ["NAMESPACE", "CLUSTER", "OBJECT", "RESULT"] as const;

/** A table for people, one line for each row below a header. */
export function table(rows: readonly Row[]): string {
  if (rows.length === 0) return "Nothing of patroni-injector is there.\n";
  const cells = [
    [...HEADER],
    ...rows.map(({ namespace, cluster, object, done }) => [namespace, cluster, object, done]),
  ];
  const widths = HEADER.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lineOf = (line: readonly string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${cells.map(lineOf).join("\n")}\n`;
}
