import { parseArgs } from "node:util";
import { type Request, requestBy } from "../cli/command.ts";

export const USAGE = `Usage: patroni-injector cleanup (--namespace NAME | --all-namespaces) [--leave-selector] [--dry-run]
                               [--kubeconfig FILE]

Removes what was made for Patroni clusters that are gone, or have opted out and carry nothing of it any more. A Service of type
LoadBalancer or NodePort is never removed.

  -n, --namespace NAME   only there; may be given several times
  -A, --all-namespaces   everywhere
      --leave-selector   of clusters that have opted out, hand the primary Service over to Patroni's own role label first:
                         Kubernetes serves it from then on
      --dry-run          only say what would be done
      --kubeconfig FILE  the cluster; default: the file that $KUBECONFIG names, or the cluster that the process runs in

Exit codes: 0 nothing is left to do; 1 something could not be done, or not yet, and why; 2 bad usage.
`;

export interface Arguments {
  /** Undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly leave: boolean;
  readonly dryRun: boolean;
  readonly kubeconfig: string | undefined;
}

const OPTIONS = {
  namespace: { type: "string", short: "n", multiple: true },
  "all-namespaces": { type: "boolean", short: "A" },
  "leave-selector": { type: "boolean" },
  "dry-run": { type: "boolean" },
  kubeconfig: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line behind `cleanup`. Never throws. */
export function parseArguments(argv: readonly string[]): Request<Arguments> {
  return requestBy(() => {
    const { values } = parseArgs({ args: [...argv], options: OPTIONS });
    if (values.help) return undefined;
    const { namespace: namespaces, "all-namespaces": all = false, kubeconfig } = values;
    if (all === (namespaces !== undefined)) {
      throw new Error("give either --namespace NAME or --all-namespaces");
    }
    if (namespaces?.includes("")) throw new Error("--namespace needs a name");
    const { "leave-selector": leave = false, "dry-run": dryRun = false } = values;
    return { namespaces, leave, dryRun, kubeconfig };
  });
}
