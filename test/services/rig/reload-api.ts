import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReloadComponent } from "../../../src/contract/reload.ts";
import { reloadPath } from "../../../src/contract/reload.ts";
import type { ReloadSetting } from "../../../src/contract/reload-env.ts";
import type { RestTarget } from "../../../src/patroni/rest.ts";
import { KubeApi } from "../../../src/sidecar/kube-api.ts";
import { Log } from "../../../src/sidecar/log.ts";
import { SidecarMetrics } from "../../../src/sidecar/metrics.ts";
import { startReload } from "../../../src/sidecar/reload/start.ts";
import type { Database } from "./database.ts";
import type { Pooler } from "./pooler.ts";
import { until } from "./service.ts";

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
  readonly body: any;
}

type Environment = Partial<Record<ReloadSetting | "PATRONI_INJECTOR_AUTH_DIR", string>>;

/** The reload API as the sidecar serves it, on its socket. */
export class ReloadApi {
  readonly #folder: string;
  readonly #stop: () => void;
  readonly #kube: KubeApi;
  readonly metrics: SidecarMetrics;
  readonly lines: string[];

  private constructor(
    folder: string,
    stop: () => void,
    kube: KubeApi,
    metrics: SidecarMetrics,
    lines: string[],
  ) {
    this.#folder = folder;
    this.#stop = stop;
    this.#kube = kube;
    this.metrics = metrics;
    this.lines = lines;
  }

  static async start(environment: Environment, rest: RestTarget = NOBODY): Promise<ReloadApi> {
    const folder = await mkdtemp(join(tmpdir(), "reload-"));
    const lines: string[] = [];
    const log = new Log("debug", (line) => void lines.push(line));
    const metrics = new SidecarMetrics();
    const kube = new KubeApi({}, folder);
    const stop = startReload(
      { PATRONI_INJECTOR_RELOAD_SOCKET: join(folder, "socket"), ...environment },
      { log, metrics, api: kube, patroni: () => rest },
    );
    const served = new ReloadApi(folder, stop, kube, metrics, lines);
    await until("the socket", async () => (await served.get("/v1/status")).status === 200, 5000);
    return served;
  }

  reload(
    component: ReloadComponent,
    version: number,
    timeoutSeconds = 20,
    signal?: AbortSignal,
  ): Promise<Answer> {
    return this.#send("POST", reloadPath(component), JSON.stringify({ version, timeoutSeconds }), signal);
  }

  get(path: string): Promise<Answer> {
    return this.#send("GET", path);
  }

  async status(component: ReloadComponent): Promise<Answer["body"]> {
    return (await this.get("/v1/status")).body[component];
  }

  async stop(): Promise<void> {
    this.#stop();
    this.#kube.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #send(method: string, path: string, body?: string, signal?: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: join(this.#folder, "socket"),
          method,
          path,
          agent: false,
          ...(signal && { signal }),
          headers: body === undefined ? {} : { "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.on("error", reject);
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
        },
      );
      call.on("error", reject).end(body);
    });
  }
}

const NOBODY: RestTarget = { scheme: "http", host: "127.0.0.1", port: 1, tls: {} };

/** What the injection would set for a database whose version stands in its volume. */
export const postgresEnvironment = ({ volume, connection }: Database): Environment => ({
  PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: volume.path("version"),
  PATRONI_INJECTOR_RELOAD_POSTGRES_CONNECTION: `${connection.user}@${connection.host}:${connection.port}/postgres`,
});

export const pgbouncerEnvironment = ({ volume, port }: Pooler, user = "admin"): Environment => ({
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION: volume.path("version"),
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI: volume.path("pgbouncer.ini"),
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `${user}@127.0.0.1:${port}`,
});
