import { readAuthorities, readLeaf } from "../certificates/secrets.ts";
import { loadConfig } from "../config/load.ts";
import { objectsIn } from "../json/value.ts";
import { connect } from "../kube/connection.ts";
import { KubeSecrets } from "../kube/secrets.ts";
import { trusteesIn, WEBHOOK_CONFIGURATIONS } from "../kube/webhook-configuration.ts";
import { keptIn, secretNames } from "../serve/kept.ts";
import { ownNamespace } from "../serve/own-namespace.ts";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { type Report, reportOf } from "./report.ts";
import { servedChain } from "./served.ts";
import { textOf } from "./text.ts";

/** Exit codes: 0 trusted, 1 broken, 2 could not look, or wrong options. */
export async function run(
  argv: readonly string[],
  { stdout, stderr }: Readonly<Record<"stdout" | "stderr", NodeJS.WritableStream>>,
): Promise<number> {
  const request = parseArguments(argv);
  if (request.kind === "help") {
    stdout.write(USAGE);
    return 0;
  }
  if (request.kind === "usage") {
    stderr.write(`patroni-injector certs: ${request.message}\n\n${USAGE}`);
    return 2;
  }
  try {
    const report = await look(request.arguments);
    stdout.write(
      request.arguments.output === "json" ? `${JSON.stringify(report, null, 2)}\n` : textOf(report),
    );
    return report.trusted ? 0 : 1;
  } catch (error) {
    stderr.write(`patroni-injector certs: could not look: ${(error as Error).message}\n`);
    return 2;
  }
}

async function look({ config: path, kubeconfig, address }: Arguments): Promise<Report> {
  const config = await loadConfig(path);
  const { webhook } = config;
  const connection = connect(kubeconfig);
  const query = { fieldSelector: `metadata.name=${webhook.registration.name}` };
  const list = await connection.send({ method: "GET", path: WEBHOOK_CONFIGURATIONS, query });
  const trustees = trusteesIn("caBundle", {}, objectsIn(list.items)[0]);
  const { host, port } = address ?? { host: "127.0.0.1", port: webhook.port };
  const chainPem = await servedChain(host, port, trustees[0]?.serverName ?? "");
  const { source } = webhook.certificates;
  const secrets = new KubeSecrets(connection, keptIn(config, { ownNamespace: ownNamespace(process.env) }));
  const names = secretNames(config);
  const kept =
    source === "self"
      ? {
          leaf: readLeaf((await secrets.read(names.leaf)).data),
          authorities: readAuthorities((await secrets.read(names.authorities)).data),
        }
      : undefined;
  const localNow = new Date();
  return reportOf({ source, chainPem, trustees, kept, now: connection.serverTime() ?? localNow, localNow });
}
