import { parseArgs } from "node:util";
import { type Request, requestBy } from "../cli/command.ts";
import { FINDINGS, type FindingCode, SEVERITIES, type Severity } from "../contract/findings.ts";

export const OUTPUTS = ["table", "json", "sarif", "policyreport", "markdown"] as const;
export type Output = (typeof OUTPUTS)[number];

export const USAGE = `Usage: patroni-injector audit (--namespace NAME | --all-namespaces) [options]
       patroni-injector audit -f FILE [-f FILE ...] [options]
       patroni-injector audit --explain CODE

Says of every Patroni cluster what is wrong, why it matters and what mends it. Changes nothing: it reads, asks what
ServiceAccounts may do, and tries a pod of each workload by a server-side dry-run.

  -n, --namespace NAME   only there; may be given several times
  -A, --all-namespaces   everywhere
  -l, --selector K=V,…   only clusters with a pod that carries these labels
  -f, --filename FILE    manifests instead of a cluster: a file, a directory, or - for standard input
      --no-dry-run       try no pods: that takes the right to create them
      --direct           ask members' Patroni at the pods' addresses, not through the API server (within the cluster)
  -o, --output FORMAT    ${OUTPUTS.join(", ")} (default: table)
      --fix-dir DIR      write the manifests that mend what manifests can mend
      --fail-on LEVEL    the least severity that gives exit code 1: ${SEVERITIES.join(", ")} or never (default: error)
      --keep-reports     write a PolicyReport for each cluster into its namespace, and remove those of clusters that are gone
      --config FILE      the injector's configuration (default: the one that is installed in the cluster)
      --kubeconfig FILE  the cluster; default: the file that $KUBECONFIG names, or the cluster that the process runs in
      --explain CODE     what a finding means
  -h, --help             print this

On standard error: what it is at, where that takes long. What could not be looked at is in the report, and counts as neither good nor bad.
Exit code: 0 nothing at or above --fail-on; 1 something; 2 no audit, or not a whole one, and why.
`;

export interface Arguments {
  readonly source:
    | { readonly kind: "cluster"; readonly namespaces: readonly string[] | undefined }
    | { readonly kind: "files"; readonly files: readonly string[] };
  readonly selector: Readonly<Record<string, string>>;
  readonly dryRuns: boolean;
  readonly direct: boolean;
  readonly output: Output;
  readonly fixDir: string | undefined;
  /** Undefined: never. */
  readonly failOn: Severity | undefined;
  readonly keepReports: boolean;
  readonly config: string | undefined;
  readonly kubeconfig: string | undefined;
}

/** What is wanted: an audit, or only what a finding means. */
export type Wish = Arguments | { readonly explain: FindingCode };

const OPTIONS = {
  namespace: { type: "string", short: "n", multiple: true },
  "all-namespaces": { type: "boolean", short: "A" },
  selector: { type: "string", short: "l" },
  filename: { type: "string", short: "f", multiple: true },
  "no-dry-run": { type: "boolean" },
  direct: { type: "boolean" },
  output: { type: "string", short: "o" },
  "fix-dir": { type: "string" },
  "fail-on": { type: "string" },
  "keep-reports": { type: "boolean" },
  config: { type: "string" },
  kubeconfig: { type: "string" },
  explain: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line behind `audit`. Never throws. */
export function parseArguments(argv: readonly string[]): Request<Wish> {
  return requestBy(() => read(parseArgs({ args: [...argv], options: OPTIONS }).values));
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

function read(values: Values): Wish | undefined {
  if (values.help) return undefined;
  if (values.explain !== undefined) {
    const code = values.explain;
    if (Object.hasOwn(FINDINGS, code)) return { explain: code as FindingCode };
    throw new Error(`--explain: there is no finding ${JSON.stringify(code)}`);
  }
  const { filename: files, namespace: namespaces, "all-namespaces": all = false } = values;
  const wanted = [files, namespaces, all || undefined].filter((each) => each !== undefined);
  if (wanted.length !== 1) throw new Error("give one of --namespace NAME, --all-namespaces and -f FILE");
  if (namespaces?.includes("")) throw new Error("--namespace needs a name");
  const keepReports = values["keep-reports"] ?? false;
  if (keepReports && files !== undefined) throw new Error("--keep-reports needs a cluster");
  // The reports of clusters that are gone are removed: who looks at some of them only cannot tell which are.
  if (keepReports && values.selector !== undefined)
    throw new Error("--keep-reports looks at whole namespaces: leave --selector out");
  return {
    source: files === undefined ? { kind: "cluster", namespaces } : { kind: "files", files },
    selector: selectorIn(values.selector ?? ""),
    dryRuns: !values["no-dry-run"],
    direct: values.direct ?? false,
    output: oneOf("--output", OUTPUTS, values.output ?? "table"),
    fixDir: values["fix-dir"],
    failOn: failOn(values["fail-on"] ?? "error"),
    keepReports,
    config: values.config,
    kubeconfig: values.kubeconfig,
  };
}

function oneOf<Value extends string>(option: string, allowed: readonly Value[], given: string): Value {
  const found = allowed.find((each) => each === given);
  if (found === undefined)
    throw new Error(`${option} is one of ${allowed.join(", ")}, not ${JSON.stringify(given)}`);
  return found;
}

function failOn(given: string): Severity | undefined {
  const found = oneOf("--fail-on", [...SEVERITIES, "never"] as const, given);
  return found === "never" ? undefined : found;
}

function selectorIn(text: string): Record<string, string> {
  const pairs = text.split(",").filter((pair) => pair.trim() !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^\s*([^=!\s]+)\s*==?\s*([^=!\s]*)\s*$/.exec(pair) ?? [];
      if (key === undefined || value === undefined)
        throw new Error(`--selector takes KEY=VALUE, not ${JSON.stringify(pair)}`);
      return [key, value];
    }),
  );
}
