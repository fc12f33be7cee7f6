import { parseArgs } from "node:util";
import { type Request, requestBy } from "../cli/command.ts";
import { RELOAD_COMPONENTS, RELOAD_TIMEOUT, type ReloadComponent } from "../contract/reload.ts";
import { configVersion } from "../contract/syntax.ts";

export const USAGE = `Usage: patroni-injector reload (pod/NAME | cluster/NAME) --component NAME --version N
                              (--service-account NAME | --token-file FILE) [options]

Waits until the pods have version N of their configuration, reloads the component, and says how that was proven. Of a cluster: one
member after the other, the primary last, to the first that fails.

      --component NAME        postgres or pgbouncer
      --version N             the version that is expected, or a later one
      --service-account NAME  [NAMESPACE/]NAME: whose token is shown to the pods, made by TokenRequest; one that the pods' annotation
                              reload-allow names
      --token-file FILE       such a token, instead
      --ca-file FILE          who vouches for the pods' certificates; default: ca.crt of the Secret that they serve with
      --timeout SECONDS       how long each pod may take, up to ${RELOAD_TIMEOUT.most}; default: ${RELOAD_TIMEOUT.default}
  -n, --namespace NAME        default: default
      --cluster-domain NAME   default: none, certificates name <pod>.<headless Service>.<namespace>.svc
      --kubeconfig FILE       the cluster; default: the file that $KUBECONFIG names, or the cluster that the process runs in

Progress goes to standard error, one table to standard output.
Exit codes: 0 proven, of each member; 1 not; 2 bad usage.
`;

export interface Arguments {
  readonly target: { readonly kind: "pod" | "cluster"; readonly name: string };
  readonly component: ReloadComponent;
  readonly version: number;
  readonly timeoutSeconds: number;
  readonly namespace: string;
  readonly token: { readonly file: string } | { readonly namespace: string; readonly account: string };
  readonly caFile: string | undefined;
  readonly clusterDomain: string | undefined;
  readonly kubeconfig: string | undefined;
}

const OPTIONS = {
  component: { type: "string" },
  version: { type: "string" },
  "service-account": { type: "string" },
  "token-file": { type: "string" },
  "ca-file": { type: "string" },
  timeout: { type: "string" },
  namespace: { type: "string", short: "n" },
  "cluster-domain": { type: "string" },
  kubeconfig: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Reads the command line behind `reload`. Never throws. */
export function parseArguments(argv: readonly string[]): Request<Arguments> {
  return requestBy(() => {
    const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
    if (values.help) return undefined;
    const target = /^(pod|cluster)\/(.+)$/.exec(positionals.length === 1 ? (positionals[0] ?? "") : "");
    if (target === null) throw new Error("which? Give pod/NAME or cluster/NAME");
    const component = RELOAD_COMPONENTS.find((name) => name === values.component);
    if (component === undefined) throw new Error(`--component is one of ${RELOAD_COMPONENTS.join(", ")}`);
    const version = configVersion.read(values.version ?? "");
    if (version === undefined) throw new Error(`--version is ${configVersion.allowed}`);
    const timeoutSeconds = Number(values.timeout ?? RELOAD_TIMEOUT.default);
    const { least, most } = RELOAD_TIMEOUT;
    if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < least || timeoutSeconds > most)
      throw new Error(`--timeout is a number of seconds from ${least} to ${most}`);
    const { namespace = "default", "service-account": account, "token-file": file, kubeconfig } = values;
    if ((account === undefined) === (file === undefined))
      throw new Error("give either --service-account NAME or --token-file FILE");
    return {
      target: { kind: target[1] as "pod" | "cluster", name: target[2] ?? "" },
      component,
      version,
      timeoutSeconds,
      namespace,
      token: file === undefined ? accountIn(account ?? "", namespace) : { file },
      caFile: values["ca-file"],
      clusterDomain: values["cluster-domain"],
      kubeconfig,
    };
  });
}

function accountIn(text: string, namespace: string): { namespace: string; account: string } {
  const [one = "", other] = text.split("/");
  return other === undefined ? { namespace, account: one } : { namespace: one, account: other };
}
