/** Which clusters want to know of a change, by what the changed object is found by. */
export class Interests {
  readonly #byIndex = new Map<string, Set<string>>();
  readonly #byCluster = new Map<string, readonly string[]>();

  /** From now on the cluster is interested in exactly these. */
  set(cluster: string, indexes: readonly string[]): void {
    for (const index of this.#byCluster.get(cluster) ?? []) {
      const clusters = this.#byIndex.get(index);
      clusters?.delete(cluster);
      if (clusters?.size === 0) this.#byIndex.delete(index);
    }
    for (const index of indexes) {
      const clusters = this.#byIndex.get(index) ?? new Set();
      this.#byIndex.set(index, clusters.add(cluster));
    }
    if (indexes.length === 0) this.#byCluster.delete(cluster);
    else this.#byCluster.set(cluster, indexes);
  }

  has(index: string): boolean {
    return this.#byIndex.has(index);
  }

  of(index: string): Iterable<string> {
    return this.#byIndex.get(index) ?? [];
  }
}
