import { chmod, chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection } from "../../../src/sidecar/reload/connect.ts";
import { PgbouncerConsole } from "../../../src/sidecar/reload/pgbouncer/console.ts";
import { ensurePrograms, type Programs } from "./programs.ts";
import { freePort, Service, until } from "./service.ts";
import { MountedVolume } from "./volume.ts";

const READY_WITHIN_MS = 10_000;

/** What a test says in pgbouncer.ini. */
export interface Pooled {
  readonly settings?: Readonly<Record<string, string | number>>;
  readonly databases?: Readonly<Record<string, string>>;
  /** Further lines, as they are. */
  readonly more?: readonly string[];
  /** Further files of the volume, or other ones than there are. */
  readonly files?: Readonly<Record<string, string>>;
}

/** PgBouncer, with its file and the version in one mounted volume. */
export class Pooler {
  readonly volume: MountedVolume;
  readonly port: number;
  readonly socketDir: string;
  #service: Service;
  readonly #folder: string;
  readonly #programs: Programs;

  private constructor(folder: string, volume: MountedVolume, port: number, programs: Programs) {
    this.#folder = folder;
    this.volume = volume;
    this.port = port;
    this.socketDir = join(folder, "run");
    this.#programs = programs;
    this.#service = this.#run();
  }

  static async start(pooled: Pooled = {}): Promise<Pooler> {
    const programs = await ensurePrograms();
    const folder = await mkdtemp(join(tmpdir(), "pooler-"));
    await chmod(folder, 0o755);
    await mkdir(join(folder, "run"));
    await chown(join(folder, "run"), programs.user.uid, programs.user.gid);
    const port = await freePort();
    const volume = await MountedVolume.make(join(folder, "volume"), filesOf(folder, port, "1", pooled));
    const pooler = new Pooler(folder, volume, port, programs);
    try {
      await pooler.untilReady();
    } catch (error) {
      const { log } = pooler.#service;
      await pooler.stop();
      throw new Error(`PgBouncer does not start:\n${log.slice(-2000)}`, { cause: error });
    }
    return pooler;
  }

  get pid(): number {
    return this.#service.pid;
  }

  get log(): string {
    return this.#service.log;
  }

  consoleAs(user: string, host = "127.0.0.1"): Connection {
    return { host, port: this.port, user, secretDir: undefined };
  }

  async configure(version: number | string, pooled: Pooled = {}): Promise<void> {
    await this.volume.swap(filesOf(this.#folder, this.port, String(version), pooled));
  }

  async untilReady(): Promise<void> {
    await until(
      "PgBouncer's console",
      async () => {
        const console = await PgbouncerConsole.open(this.consoleAs("admin"));
        await console.close();
        return true;
      },
      READY_WITHIN_MS,
    );
  }

  async setting(key: string): Promise<string | undefined> {
    const console = await PgbouncerConsole.open(this.consoleAs("admin"));
    const rows = await console.config();
    await console.close();
    return rows.find((row) => row.key === key)?.value ?? undefined;
  }

  startAgain(): void {
    this.#service = this.#run();
  }

  /** Ends PgBouncer, and leaves its files. */
  halt(): Promise<void> {
    return this.#service.stop();
  }

  async stop(): Promise<void> {
    await this.halt();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #run(): Service {
    const { user, pgbouncer } = this.#programs;
    const logFile = join(this.#folder, "pgbouncer.log");
    return new Service(pgbouncer, [this.volume.path("pgbouncer.ini")], {
      user,
      home: this.socketDir,
      logFile,
    });
  }
}

function filesOf(
  folder: string,
  port: number,
  version: string,
  { settings, databases, more = [], files }: Pooled,
) {
  const all = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: join(folder, "run"),
    auth_type: "trust",
    auth_file: join(folder, "volume", "userlist.txt"),
    admin_users: "admin",
    stats_users: "watcher",
    ...settings,
  };
  const lines = (entries: object) => Object.entries(entries).map(([key, value]) => `${key} = ${value}`);
  return {
    "pgbouncer.ini": [
      "; what a test says",
      "[databases]",
      ...lines(databases ?? { app: "host=127.0.0.1 port=5432" }),
      "",
      "[pgbouncer]",
      ...lines(all),
      ...more,
      "",
    ].join("\n"),
    "userlist.txt": '"admin" ""\n"watcher" ""\n',
    version: `${version}\n`,
    ...files,
  };
}
