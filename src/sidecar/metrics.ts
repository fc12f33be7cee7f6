/** Bounds of the histogram of change → published, in seconds. */
const BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

const PREFIX = "patroni_injector_sidecar_";

/** Every metric of the sidecar: its type and what it says. */
export const SIDECAR_METRICS = {
  role: ["gauge", "1 for the role that Patroni reports, by role."],
  published: ["gauge", "1 while this member stands in the primary's EndpointSlice."],
  timeline: ["gauge", "The timeline that Patroni reports."],
  publish_latency_seconds: [
    "gauge",
    "How long the last publication took, from the change as seen to the API server's answer.",
  ],
  publish_seconds: ["histogram", "From the change as seen to the API server's answer."],
  api_answers_total: ["counter", "Answers of the Kubernetes API, by HTTP status; 0 is no answer."],
  patroni_poll_seconds: ["gauge", "How long the last question to Patroni took."],
  patroni_poll_seconds_total: ["counter", "Time spent waiting for Patroni."],
  patroni_polls_total: [
    "counter",
    "Questions to Patroni, by outcome: answered, refused (its port), silent (no answer in time).",
  ],
  streaming: [
    "gauge",
    "1 while this standby streams, 0 while it does not; absent on a primary, and with Patroni before 3.0.4.",
  ],
  replication_lag_bytes: ["gauge", "What the leader has written and this member has not replayed."],
  replication_lag_seconds: [
    "gauge",
    "The age of the oldest position of the leader that is not replayed here; 0 when all is.",
  ],
  reloads_total: [
    "counter",
    "Reloads, by component and result: proven, disturbed (the version changed meanwhile), or the problem's name.",
  ],
  reload_seconds_total: ["counter", "Time that reloads and their proof took, by component."],
  reload_calls_total: [
    "counter",
    "Calls of the reload API, by component and HTTP status; 0 is a caller that was gone.",
  ],
  reload_wait_seconds_total: ["counter", "Time that callers of the reload API waited, by component."],
  reconnects_total: [
    "counter",
    "RECONNECTs of PgBouncer after another primary was published, by result: done, failed.",
  ],
  primary_watched: [
    "gauge",
    "1 while the primary's EndpointSlice is watched for RECONNECT, 0 while it cannot be; absent where nobody asks for that.",
  ],
  materialised_version: ["gauge", "The version of the configuration that is in the pod, by component."],
  applied_version: ["gauge", "The version that a component was last proven to run, by component."],
  rounds_total: ["counter", "Rounds of the compare-and-swap, by result."],
} as const;

type Name = keyof typeof SIDECAR_METRICS;
type Labels = Readonly<Record<string, string>>;

/** Counters and gauges in the Prometheus text format, without a library: the sidecar lives in 64 MiB. */
export class SidecarMetrics {
  readonly #values = new Map<Name, Map<string, number>>();
  readonly #buckets = new Array<number>(BOUNDS.length + 1).fill(0);
  #sum = 0;

  add(name: Name, amount: number, labels: Labels = {}): void {
    const series = this.#series(name);
    const key = textOf(labels);
    series.set(key, (series.get(key) ?? 0) + amount);
  }

  set(name: Name, value: number, labels: Labels = {}): void {
    this.#series(name).set(textOf(labels), value);
  }

  /** Takes a gauge away: its value is not known. */
  clear(name: Name, labels: Labels = {}): void {
    this.#series(name).delete(textOf(labels));
  }

  /** Makes one series of a gauge 1 and all its others 0. */
  choose(name: Name, labels: Labels): void {
    const series = this.#series(name);
    for (const other of series.keys()) series.set(other, 0);
    series.set(textOf(labels), 1);
  }

  observePublication(seconds: number): void {
    this.set("publish_latency_seconds", seconds);
    this.#sum += seconds;
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    const index = bucket === -1 ? BOUNDS.length : bucket;
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
  }

  text(): string {
    return (Object.keys(SIDECAR_METRICS) as Name[]).map((name) => this.#family(name)).join("");
  }

  #family(name: Name): string {
    const [type, help] = SIDECAR_METRICS[name];
    const head = `# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n`;
    if (type === "histogram") return head + this.#histogram(PREFIX + name);
    const lines = [...this.#series(name)].map(([labels, value]) => `${PREFIX}${name}${labels} ${value}\n`);
    return head + lines.join("");
  }

  #histogram(name: string): string {
    let count = 0;
    const lines = this.#buckets.map((amount, index) => {
      count += amount;
      return `${name}_bucket{le="${BOUNDS[index] ?? "+Inf"}"} ${count}\n`;
    });
    return `${lines.join("")}${name}_sum ${this.#sum}\n${name}_count ${count}\n`;
  }

  #series(name: Name): Map<string, number> {
    const series = this.#values.get(name) ?? new Map<string, number>();
    this.#values.set(name, series);
    return series;
  }
}

/** In the text format: within quotes, a backslash before each backslash, quote and end of line. */
function textOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => {
    const escaped = value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
    return `${key}="${escaped}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
