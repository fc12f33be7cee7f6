import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { METRICS, type MetricEntry } from "./catalog.ts";

type LabelsOf<Entry> = Entry extends { readonly labels: readonly (infer Label extends string)[] }
  ? Label
  : never;

type Instrument<Entry extends MetricEntry> = {
  counter: Counter<LabelsOf<Entry>>;
  gauge: Gauge<LabelsOf<Entry>>;
  histogram: Histogram<LabelsOf<Entry>>;
}[Entry["kind"]];

/** One instrument for each entry of the catalog, and the registry that holds them and nothing else. */
export type Metrics = { readonly [Name in keyof typeof METRICS]: Instrument<(typeof METRICS)[Name]> } & {
  readonly registry: Registry;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const instruments = Object.fromEntries(
    Object.entries(METRICS).map(([key, entry]) => [key, instrument(entry, registry)]),
  );
  return { ...instruments, registry } as unknown as Metrics;
}

function instrument({ kind, name, help, labels = [], buckets = [] }: MetricEntry, registry: Registry) {
  const options = { name, help, labelNames: [...labels], registers: [registry] };
  switch (kind) {
    case "counter":
      return new Counter(options);
    case "gauge":
      return new Gauge(options);
    case "histogram":
      return new Histogram({ ...options, buckets: [...buckets] });
  }
}
