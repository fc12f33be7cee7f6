import { readAuthorities, readLeaf } from "../certificates/secrets.ts";
import { shownChain } from "../certificates/shown.ts";
import { runCommand, type Streams } from "../cli/command.ts";
import { loadConfig } from "../config/load.ts";
import { objectsIn } from "../json/value.ts";
import { chosenCluster } from "../kube/chosen-cluster.ts";
import { KubeSecrets } from "../kube/secrets.ts";
import { trusteesIn, WEBHOOK_CONFIGURATIONS } from "../kube/webhook-configuration.ts";
import { keptIn, secretNames } from "../serve/kept.ts";
import { ownPlace } from "../serve/own-place.ts";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { type Report, reportOf } from "./report.ts";
import { textOf } from "./text.ts";

/** The exit code where nothing could be said of the certificate. */
const COULD_NOT_LOOK = 2;

interface Io extends Streams {
  readonly env: NodeJS.ProcessEnv;
}

/** Exit codes: 0 trusted, 1 broken, 2 could not look, or wrong options. */
export function run(argv: readonly string[], io: Io): Promise<number> {
  const name = "patroni-injector certs";
  const command = {
    name,
    usage: USAGE,
    run: (given: Arguments) => show(given, io),
    failed: COULD_NOT_LOOK,
    explain: (error: unknown) => `${name}: could not look: ${(error as Error).message}`.split("\n"),
  };
  return runCommand(parseArguments(argv), command, io);
}

async function show(given: Arguments, { stdout, env }: Io): Promise<number> {
  const report = await look(given, env);
  stdout.write(given.output === "json" ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
  return report.trusted ? 0 : 1;
}

async function look(
  { config: path, kubeconfig, address }: Arguments,
  env: NodeJS.ProcessEnv,
): Promise<Report> {
  const config = await loadConfig(path);
  const { webhook } = config;
  const connection = chosenCluster(kubeconfig, env);
  const query = { fieldSelector: `metadata.name=${webhook.registration.name}` };
  const list = await connection.send({ method: "GET", path: WEBHOOK_CONFIGURATIONS, query });
  const trustees = trusteesIn("caBundle", {}, objectsIn(list.items)[0]);
  const { host, port } = address ?? { host: "127.0.0.1", port: webhook.port };
  const chainPem = await shownChain({ host, port }, trustees[0]?.serverName ?? "").catch((error: Error) => {
    throw new Error(`the webhook at ${host}, port ${port}: ${error.message}`, { cause: error });
  });
  const { source } = webhook.certificates;
  const secrets = new KubeSecrets(connection, keptIn(config, ownPlace(env)));
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
