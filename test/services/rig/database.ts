import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { askPatroni, type RestTarget } from "../../../src/patroni/rest.ts";
import type { PostgresConnection } from "../../../src/sidecar/reload/postgres/session.ts";
import { newAuthority } from "../../cluster/authority.ts";
import { ensureBinaries } from "../../cluster/build.ts";
import { ensurePrograms } from "./programs.ts";
import { freePort, Service, until } from "./service.ts";
import { MountedVolume } from "./volume.ts";

const READY_WITHIN_MS = 60_000;

const SCOPE = "test";
const DCS = { ttl: 30, loop_wait: 10, retry_timeout: 10 };

/** The role that the sidecar asks with, and what it may. */
const PROBER = `
  CREATE ROLE prober LOGIN;
  GRANT pg_read_all_settings TO prober;
  GRANT EXECUTE ON FUNCTION pg_show_all_file_settings(), pg_hba_file_rules(), pg_ident_file_mappings() TO prober;
  GRANT SELECT ON pg_file_settings, pg_hba_file_rules, pg_ident_file_mappings TO prober;`;

export const REST_AUTH = { username: "patroni", password: "of-the-test:only" };

export const HBA = [
  "local all all trust",
  "host all all 127.0.0.1/32 trust",
  "host replication all 127.0.0.1/32 trust",
];

/** What of the configuration a test changes. */
export interface Configured {
  readonly parameters?: Readonly<Record<string, string | number>>;
  readonly hba?: readonly string[];
  /** A file of PostgreSQL's own that Patroni's includes. */
  readonly custom?: string;
}

/**
 * One member: Patroni with PostgreSQL, and an etcd as its DCS. Patroni's file, the one that it includes and the version stand in one
 * mounted volume.
 */
export class Database {
  readonly rest: RestTarget;
  readonly volume: MountedVolume;
  readonly connection: PostgresConnection;
  readonly authDir: string;
  patroni: Service;
  readonly #folder: string;
  readonly #etcd: Service;
  /** Where it is. */
  readonly #dcs: string;
  readonly #base: object;
  readonly #again: () => Service;

  private constructor(
    parts: Pick<Database, "rest" | "volume" | "connection" | "authDir" | "patroni"> & {
      folder: string;
      etcd: Service;
      dcs: string;
      base: object;
      again: () => Service;
    },
  ) {
    this.rest = parts.rest;
    this.volume = parts.volume;
    this.connection = parts.connection;
    this.authDir = parts.authDir;
    this.patroni = parts.patroni;
    this.#folder = parts.folder;
    this.#etcd = parts.etcd;
    this.#dcs = parts.dcs;
    this.#base = parts.base;
    this.#again = parts.again;
  }

  /** @param secured with TLS and credentials at the REST API */
  static async start({ secured = false } = {}): Promise<Database> {
    const [programs, { etcd: binary }] = [await ensurePrograms(), await ensureBinaries(["etcd"])];
    const { user } = programs;
    const folder = await mkdtemp(join(tmpdir(), "services-"));
    await chmod(folder, 0o755);
    const [client, peer, rest, postgres] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const home = join(folder, "home");
    await mkdir(home, { mode: 0o700 });
    await chown(home, user.uid, user.gid);
    const write = async (name: string, text: string): Promise<string> => {
      await writeFile(join(home, name), text, { mode: 0o600 });
      await chown(join(home, name), user.uid, user.gid);
      return join(home, name);
    };
    const etcd = new Service(
      binary,
      [
        "--name=test",
        `--data-dir=${join(folder, "etcd")}`,
        `--listen-client-urls=http://127.0.0.1:${client}`,
        `--advertise-client-urls=http://127.0.0.1:${client}`,
        `--listen-peer-urls=http://127.0.0.1:${peer}`,
        `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
        `--initial-cluster=test=http://127.0.0.1:${peer}`,
        "--unsafe-no-fsync",
        "--log-level=error",
      ],
      {
        user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
        home: folder,
        logFile: join(folder, "etcd.log"),
      },
    );
    const authority = secured ? await newAuthority("services") : undefined;
    const certificate = await authority?.issueServer(["127.0.0.1"]);
    const base = {
      scope: SCOPE,
      name: "test-0",
      etcd3: { host: `127.0.0.1:${client}` },
      restapi: {
        listen: `127.0.0.1:${rest}`,
        connect_address: `127.0.0.1:${rest}`,
        ...(secured && { authentication: REST_AUTH }),
        ...(certificate && {
          certfile: await write("tls.crt", certificate.certPem),
          keyfile: await write("tls.key", certificate.keyPem),
        }),
      },
      bootstrap: { dcs: DCS, initdb: [{ encoding: "UTF8" }] },
      postgresql: {
        listen: `127.0.0.1:${postgres}`,
        connect_address: `127.0.0.1:${postgres}`,
        data_dir: join(home, "data"),
        bin_dir: programs.postgresBin,
        custom_conf: join(folder, "volume", "custom.conf"),
        authentication: {
          superuser: { username: "postgres", password: "test" },
          replication: { username: "replicator", password: "test" },
        },
      },
    };
    const volume = await MountedVolume.make(join(folder, "volume"), filesOf(base, home, {}, "1"));
    const again = () =>
      new Service(programs.patroni, [volume.path("patroni.yml")], {
        user,
        home,
        logFile: join(folder, "patroni.log"),
      });
    const authDir = join(folder, "auth");
    await mkdir(authDir);
    for (const [name, text] of Object.entries(REST_AUTH)) await writeFile(join(authDir, name), text);
    const database = new Database({
      rest: {
        scheme: secured ? "https" : "http",
        host: "127.0.0.1",
        port: rest,
        tls: authority === undefined ? {} : { ca: authority.certPem },
      },
      volume,
      connection: {
        host: "127.0.0.1",
        port: postgres,
        database: "postgres",
        user: "prober",
        secretDir: undefined,
      },
      authDir,
      patroni: again(),
      folder,
      etcd,
      dcs: `http://127.0.0.1:${client}`,
      base,
      again,
    });
    try {
      await database.untilPrimary();
      await database.sql(PROBER, "postgres");
    } catch (error) {
      const { log } = database.patroni;
      await database.stop();
      throw new Error(`Patroni does not start:\n${log.slice(-3000)}`, { cause: error });
    }
    return database;
  }

  async untilPrimary(): Promise<void> {
    await until(
      "a primary",
      async () => {
        const { code, body } = await askPatroni(this.rest, "/primary");
        return code === 200 && (body as { state?: string }).state === "running";
      },
      READY_WITHIN_MS,
    );
  }

  /** Materialises another configuration, as the kubelet would. */
  async configure(version: number | string, configured: Configured = {}): Promise<void> {
    await this.volume.swap(filesOf(this.#base, join(this.#folder, "home"), configured, String(version)));
  }

  /** Puts another configuration into the DCS, as another member of the cluster would: this one is not told. */
  async configureDcs(postgresql: object): Promise<void> {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const body = {
      key: base64(`/service/${SCOPE}/config`),
      value: base64(JSON.stringify({ ...DCS, postgresql })),
    };
    const { ok, status } = await fetch(`${this.#dcs}/v3/kv/put`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!ok) throw new Error(`etcd answers with ${status}`);
  }

  async sql(query: string, user = "prober"): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ ...this.connection, user });
    await client.connect();
    try {
      const result = await client.query(query);
      return Array.isArray(result) ? [] : result.rows;
    } finally {
      await client.end();
    }
  }

  async setting(name: string): Promise<string> {
    return String((await this.sql(`SHOW ${name}`))[0]?.[name]);
  }

  startPatroniAgain(): void {
    this.patroni = this.#again();
  }

  async stop(): Promise<void> {
    await this.patroni.stop();
    await this.#etcd.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function filesOf(
  base: object,
  home: string,
  { parameters, hba = HBA, custom = "" }: Configured,
  version: string,
) {
  const { postgresql } = base as { postgresql: object };
  const configuration = {
    ...base,
    postgresql: {
      ...postgresql,
      pg_hba: hba,
      parameters: { unix_socket_directories: home, fsync: "off", ...parameters },
    },
  };
  return {
    "patroni.yml": JSON.stringify(configuration),
    "custom.conf": `${custom}\n`,
    version: `${version}\n`,
  };
}
