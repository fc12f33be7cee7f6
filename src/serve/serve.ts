import { createServer } from "node:http";
import { selfSigned } from "../certificates/self-signed.ts";
import { ownDefaults, readConfigText } from "../config/load.ts";
import { parseConfig } from "../config/parse.ts";
import { watchConfig } from "../config/watch.ts";
import { VERSION } from "../contract/version.ts";
import type { Replica } from "../controller/start.ts";
import type { Registration } from "../kube/registration.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { observeProcess } from "../telemetry/process.ts";
import { createWebhookApp } from "../webhook/app.ts";
import { drain } from "../webhook/drain.ts";
import { createOperationsApp } from "../webhook/operations.ts";
import { desiredWebhookConfiguration } from "../webhook/registration.ts";
import { createWebhookServer, useCertificate } from "../webhook/server.ts";
import { servingNames } from "../webhook/serving-names.ts";
import { InForce } from "./in-force.ts";
import { listen } from "./listen.ts";
import { watchLoad } from "./load.ts";
import { openCluster } from "./open-cluster.ts";
import { Opened } from "./opened.ts";
import { ownNamespace } from "./own-namespace.ts";
import { processIdentity } from "./process-identity.ts";
import { Readiness } from "./readiness.ts";
import { reloading } from "./reload.ts";
import { aborted, type Shutdown } from "./shutdown.ts";

export interface ServeOptions {
  readonly configPath: string;
  readonly kubeconfig: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly shutdown: Shutdown;
}

/**
 * Serves admission until it is told to stop, and then until the last answer is out. Rejects where it cannot start;
 * whatever was opened by then is closed again.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const opened = new Opened();
  try {
    await run(options, opened);
  } finally {
    await opened.close();
  }
}

async function run({ configPath, kubeconfig, environment, shutdown }: ServeOptions, opened: Opened) {
  const defaults = ownDefaults();
  const text = await readConfigText(configPath);
  const config = parseConfig(text, configPath, defaults);
  const { mode } = config.webhook.registration;
  const own = { ownNamespace: ownNamespace(environment) };
  const logger = createLogger({ level: config.logLevel });
  const metrics = createMetrics();
  const observer = observeProcess(metrics);
  opened.add(() => observer.stop());
  const load = watchLoad({ logger, metrics });
  opened.add(() => load.stop());

  const draining = () => shutdown.requested.aborted;
  const readiness = new Readiness();
  readiness.require("not draining", () => !draining());
  readiness.require("steady event loop", () => load.steady());
  for (const later of ["certificate", "caches", "registration"]) readiness.require(later);
  let replica: Replica | undefined;
  const beforeScrape = (): void => {
    observer.update();
    load.measure();
    replica?.measure();
  };
  const operations = createServer(
    createOperationsApp({ missing: () => readiness.missing(), beforeScrape, metrics }),
  );
  opened.add(() => operations.close().closeAllConnections());
  const operationsAddress = await listen(operations, config.operations, "operations");

  const inCluster = environment.KUBERNETES_SERVICE_HOST !== undefined;
  const cluster = await openCluster({ kubeconfig, inCluster, registration: mode, logger });
  opened.add(() => cluster.stop());
  readiness.require("caches", () => cluster.synced());
  const inForce = new InForce(config, own, cluster.surroundings);

  const certificates = selfSigned({ ...servingNames(config, own), logger });
  let certificate = await certificates.start();
  opened.add(() => certificates.stop());
  readiness.require("certificate", () => true);

  const { turns } = load;
  const app = createWebhookApp({ context: () => inForce.context, draining, logger, metrics, turns });
  const server = createWebhookServer(app, certificate, { logger, metrics });
  opened.add(() => server.close().closeAllConnections());
  const webhookAddress = await listen(server, config.webhook, "webhook");

  let registration: Registration | undefined;
  opened.add(() => registration?.stop());
  readiness.require("registration", () => mode === "none" || registration?.registered() === true);
  const announce = (): void => {
    metrics.certificateExpiry.set(certificate.notAfter.getTime() / 1000);
    if (mode === "none") return;
    const facts = { ...own, caPem: certificate.caPem, port: webhookAddress.port };
    const desired = desiredWebhookConfiguration(inForce.config, facts);
    const onWrite = (result: "success" | "failure") => metrics.registrations.inc({ result });
    if (registration === undefined) registration = cluster.register(desired, { mode, onWrite });
    else registration.update(desired);
  };
  announce();
  logger.info({ version: VERSION, webhook: webhookAddress, operations: operationsAddress }, "listening");
  certificates.onChange((next) => {
    certificate = next;
    useCertificate(server, next);
    announce();
  });
  if (config.controller.enabled) {
    replica = cluster.control({
      namespace: own.ownNamespace ?? config.webhook.registration.service.namespace ?? "default",
      identity: processIdentity(environment),
      settings: () => inForce.context.settings,
      openshift: () => inForce.context.surroundings.openshift,
      metrics,
    });
    opened.add(() => replica?.stop());
  }
  const afterwards = (): void => {
    announce();
    replica?.reload();
  };
  const reload = reloading({ inForce, logger, metrics, afterwards });
  const watch = watchConfig(text, { path: configPath, defaults, ...reload });
  opened.add(() => watch.stop());

  await aborted(shutdown.requested);
  const { drainSeconds, webhook } = inForce.config;
  logger.info({ signal: shutdown.requested.reason, drainSeconds }, "draining");
  await Promise.all([
    // What our successor registers is none of our business any more, and another replica may lead at once.
    registration?.stop(),
    replica?.stop(),
    drain(server, {
      lingerMs: drainSeconds * 1000,
      answerMs: webhook.timeoutSeconds * 1000,
      atOnce: shutdown.atOnce,
    }),
  ]);
  logger.info("stopped");
}
