import { parseArgs } from "node:util";

export interface Arguments {
  readonly config: string;
  /** Undefined: as the pod that this runs in. */
  readonly kubeconfig: string | undefined;
  /** Where the webhook is asked for its certificate. Undefined: its port on this machine. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  readonly output: "text" | "json";
}

export type Request =
  | { readonly kind: "run"; readonly arguments: Arguments }
  | { readonly kind: "help" }
  | { readonly kind: "usage"; readonly message: string };

export const USAGE = `Usage: patroni-injector certs --config FILE [options]

Says which certificate the webhook serves, by whom it is trusted and when it rotates, and verifies it against the live
webhook configuration as an API server does.

  --config FILE         the configuration of serve
  --kubeconfig FILE     the cluster; not needed in a pod of it
  --address HOST:PORT   the webhook (default: its port on 127.0.0.1, for use in the injector's own pod)
  --output text|json    default: text

Exit codes: 0 trusted, 1 broken, 2 could not look (or wrong options).
`;

export function parseArguments(argv: readonly string[]): Request {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        config: { type: "string" },
        kubeconfig: { type: "string" },
        address: { type: "string" },
        output: { type: "string", short: "o", default: "text" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const { config, kubeconfig, output, help } = values;
    if (help) return { kind: "help" };
    if (config === undefined) return usage("--config is missing");
    if (output !== "text" && output !== "json") return usage("--output: expected text or json");
    const address = values.address === undefined ? undefined : addressIn(values.address);
    if (address === null) return usage("--address: expected a host and a port, such as 10.0.0.7:10250");
    return { kind: "run", arguments: { config, kubeconfig, address, output } };
  } catch (error) {
    return usage((error as Error).message);
  }
}

const usage = (message: string): Request => ({ kind: "usage", message });

function addressIn(text: string): { host: string; port: number } | null {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:]+)\]|([^\s:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65535 ? null : { host, port };
}
