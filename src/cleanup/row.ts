import { tableOf } from "../cli/table.ts";

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
  const cells = rows.map(({ namespace, cluster, object, done }) => [namespace, cluster, object, done]);
  return tableOf(HEADER, cells);
}
