import type { RequestListener } from "node:http";
import type { ReloadComponent as ComponentName } from "../../contract/reload.ts";
import type { JsonObject } from "../../json/value.ts";
import type { RestTarget } from "../../patroni/rest.ts";
import type { ApiObject } from "../api-object.ts";
import type { KubeApi } from "../kube-api.ts";
import type { Log } from "../log.ts";
import type { SidecarMetrics } from "../metrics.ts";
import { watchObject } from "../watch.ts";
import { IssuerKeys } from "./auth/issuer.ts";
import { tokenAdmission } from "./auth/tokens.ts";
import type { Verdict } from "./auth/verdict.ts";
import { Automatic } from "./automatic.ts";
import { Component } from "./component.ts";
import { reloadApi } from "./http/api.ts";
import { type Listener, listenOnSocket, listenSecurely } from "./http/listeners.ts";
import { messageOf, type Outcome } from "./outcome.ts";
import { Reconnect } from "./pgbouncer/reconnect.ts";
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
  patroni(): RestTarget;
  /** The primary's EndpointSlice. */
  readonly slice: ApiObject;
}

/**
 * Serves the reload API as the environment says, until the result is called. Throws one error that names every variable which is
 * missing or not allowed.
 */
export function startReload(environment: NodeJS.ProcessEnv, surroundings: Surroundings): () => void {
  const config = readReloadSettings(environment);
  const { log, metrics, api, patroni: target, slice } = surroundings;
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
  const patroni = new PatroniReload(target, environment.PATRONI_INJECTOR_AUTH_DIR || undefined);
  const components = [...postgresOf(config, patroni, component), ...pgbouncerOf(config, component)];
  if (config.automatic) for (const one of components) automatic.set(one.name, new Automatic(one));

  const apiFor = (admit: Parameters<typeof reloadApi>[0]["admit"]): RequestListener =>
    reloadApi({
      components,
      admit,
      onAnswer: (...answered) => report.answer(...answered),
      onFault: (error) => log.error("a call failed", { problem: messageOf(error) }),
    });
  const listeners = listenersOf(config, api, apiFor, log);
  const stopReconnect = reconnectWith(config, api, slice, report);
  return () => {
    stopReconnect();
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

/** @returns ends it */
function reconnectWith(
  { pgbouncer }: ReloadConfig,
  api: KubeApi,
  slice: ApiObject,
  report: ReloadReport,
): () => void {
  if (!pgbouncer?.reconnect) return () => undefined;
  const stopped = new AbortController();
  const reconnect = new Reconnect(pgbouncer.console, (...done) => report.reconnected(...done));
  const handlers = {
    seen: (now: JsonObject | undefined) => void reconnect.seen(now),
    broken: () => undefined,
  };
  void watchObject(api, slice, handlers, stopped.signal);
  return () => {
    reconnect.stop();
    stopped.abort();
  };
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
