import type { RequestListener } from "node:http";
import type { ReloadComponent as ComponentName } from "../../contract/reload.ts";
import type { RestTarget } from "../../patroni/rest.ts";
import type { KubeApi } from "../kube-api.ts";
import type { Log } from "../log.ts";
import type { SidecarMetrics } from "../metrics.ts";
import { IssuerKeys } from "./auth/issuer.ts";
import { tokenAdmission } from "./auth/tokens.ts";
import type { Verdict } from "./auth/verdict.ts";
import { Automatic } from "./automatic.ts";
import { Component } from "./component.ts";
import { reloadApi } from "./http/api.ts";
import { type Listener, listenOnSocket, listenSecurely } from "./http/listeners.ts";
import { messageOf, type Outcome } from "./outcome.ts";
import { reloadPgbouncer } from "./pgbouncer/reload-pgbouncer.ts";
import { PatroniReload } from "./postgres/patroni-reload.ts";
import { reloadPostgres } from "./postgres/reload-postgres.ts";
import { ReloadReport } from "./report.ts";
import { type ReloadConfig, readReloadSettings } from "./settings.ts";
import { DcsVersions } from "./versions/dcs.ts";
import { FileVersions } from "./versions/file.ts";
import type { VersionSource } from "./versions/source.ts";

/** What the sidecar hands over. */
export interface Surroundings {
  readonly log: Log;
  readonly metrics: SidecarMetrics;
  readonly api: KubeApi;
  /** Absent in a pod without Patroni. */
  patroni?(): RestTarget;
}

/**
 * Serves the reload API as the environment says, until the result is called. Throws one error that names every variable which is
 * missing or not allowed.
 */
export function startReload(environment: NodeJS.ProcessEnv, surroundings: Surroundings): () => void {
  const config = readReloadSettings(environment);
  const { log, metrics, api } = surroundings;
  const report = new ReloadReport(log, metrics);
  const automatic = new Map<ComponentName, Automatic>();
  const component = (
    name: ComponentName,
    versions: VersionSource,
    reload: (version: number) => Promise<Outcome>,
  ) =>
    new Component({
      name,
      versions,
      reload,
      onReload: (version, outcome, tookMs) => report.reload(name, version, outcome, tookMs),
      onVersion(reading) {
        report.version(name, reading);
        void automatic.get(name)?.changed();
      },
    });
  const patroni =
    surroundings.patroni &&
    new PatroniReload(surroundings.patroni, environment.PATRONI_INJECTOR_AUTH_DIR || undefined);
  const components = [
    ...(patroni === undefined ? [] : postgresOf(config, patroni, component)),
    ...pgbouncerOf(config, component),
  ];
  if (config.automatic) for (const one of components) automatic.set(one.name, new Automatic(one));

  const apiFor = (admit: Parameters<typeof reloadApi>[0]["admit"]): RequestListener =>
    reloadApi({
      components,
      admit,
      onAnswer: (...answered) => report.answer(...answered),
      onFault: (error) => log.error("a call failed", { problem: messageOf(error) }),
    });
  const listeners = listenersOf(config, api, apiFor, log);
  return () => {
    for (const one of automatic.values()) one.stop();
    for (const one of components) one.close();
    for (const one of listeners) one.close();
  };
}

type Make = (
  name: ComponentName,
  versions: VersionSource,
  reload: (version: number) => Promise<Outcome>,
) => Component;

function postgresOf({ postgres }: ReloadConfig, patroni: PatroniReload, make: Make): Component[] {
  if (postgres === undefined) return [];
  const { version, connection } = postgres;
  const needsMarker = version === "dcs";
  const versions = needsMarker ? new DcsVersions(patroni) : new FileVersions(version);
  return [make("postgres", versions, (asked) => reloadPostgres(asked, { patroni, connection, needsMarker }))];
}

function pgbouncerOf({ pgbouncer }: ReloadConfig, make: Make): Component[] {
  if (pgbouncer === undefined) return [];
  return [make("pgbouncer", new FileVersions(pgbouncer.version), () => reloadPgbouncer(pgbouncer))];
}

const ANYBODY: Verdict = { kind: "admitted", caller: "local" };

function listenersOf(
  { secure, socket }: ReloadConfig,
  api: KubeApi,
  apiFor: (admit: Parameters<typeof reloadApi>[0]["admit"]) => RequestListener,
  log: Log,
): Listener[] {
  const listeners: Listener[] = [];
  if (secure !== undefined) {
    const admit = tokenAdmission(new IssuerKeys(api), secure.allowed);
    listeners.push(listenSecurely(secure.port, secure.tlsDir, apiFor(admit), log));
  }
  if (socket !== undefined)
    listeners.push(
      listenOnSocket(
        socket,
        apiFor(async () => ANYBODY),
        log,
      ),
    );
  return listeners;
}
