import { parseArgs } from "node:util";
import { type Request, requestBy } from "../cli/command.ts";

export interface Arguments {
  readonly config: string;
  readonly kubeconfig: string | undefined;
  /** Where the webhook is asked for its certificate. Undefined: its port on this machine. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  readonly output: "text" | "json";
}

export const USAGE = `Usage: patroni-injector certs --config FILE [options]

Says which certificate the webhook serves, by whom it is trusted and when it rotates, and verifies it against the live
webhook configuration as an API server does.

  --config FILE         the configuration of serve
  --kubeconfig FILE     the cluster; default: the file that $KUBECONFIG names, or the cluster that the process runs in
  --address HOST:PORT   the webhook (default: its port on 127.0.0.1, for use in the injector's own pod)
  --output text|json    default: text

Exit codes: 0 trusted, 1 broken, 2 could not look (or wrong options).
`;

/** Reads the command line behind `certs`. Never throws. */
export function parseArguments(argv: readonly string[]): Request<Arguments> {
  return requestBy(() => {
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
    if (help) return undefined;
    if (config === undefined) throw new Error("--config is missing");
    if (output !== "text" && output !== "json") throw new Error("--output: expected text or json");
    const address = values.address === undefined ? undefined : addressIn(values.address);
    if (address === null) throw new Error("--address: expected a host and a port, such as 10.0.0.7:10250");
    return { config, kubeconfig, address, output };
  });
}

function addressIn(text: string): { host: string; port: number } | null {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:]+)\]|([^\s:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65535 ? null : { host, port };
}
