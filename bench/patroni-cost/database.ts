import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { RestTarget } from "../../src/patroni/rest.ts";
import { askPatroni } from "../../src/patroni/rest.ts";
import { newAuthority } from "../../test/cluster/authority.ts";
import { ensureBinaries } from "../../test/cluster/build.ts";
import { type Child, startProcess } from "../processes.ts";

/** One real member: Patroni with PostgreSQL, and an etcd as its DCS. */
export interface Database {
  readonly rest: RestTarget;
  /** Of Patroni, and of PostgreSQL's postmaster and its backends. */
  readonly pids: { patroni: number; postgres(): number[] };
  stop(): Promise<void>;
}

export interface Installation {
  /** The program, or the script with its interpreter in its first line. */
  readonly patroni: string;
  /** The folder of `postgres` and `initdb`. */
  readonly postgresBin: string;
  /** Whom PostgreSQL runs as, where this process is root. */
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number };
}

const READY_WITHIN_MS = 60_000;

/** @param folder a new one; it must be reachable for the installation's user */
export async function startDatabase(
  folder: string,
  { patroni, postgresBin, user }: Installation,
  tls: boolean,
  signal: AbortSignal,
): Promise<Database> {
  const { etcd: binary } = await ensureBinaries(["etcd"]);
  const [client, peer, rest, postgres] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const dcs = startProcess(
    [
      binary,
      "--name=bench",
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=bench=http://127.0.0.1:${peer}`,
      "--unsafe-no-fsync",
      "--log-level=error",
    ],
    { cpu: undefined, signal, stdio: "ignore" },
  );
  const home = join(folder, "home");
  mkdirSync(home, { mode: 0o700 });
  const authority = tls ? await newAuthority("bench") : undefined;
  const certificate = await authority?.issueServer(["127.0.0.1"]);
  const write = (name: string, text: string): string => {
    const path = join(home, name);
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, user.uid, user.gid);
    return path;
  };
  const configuration = {
    scope: "bench",
    name: "bench-0",
    etcd3: { host: `127.0.0.1:${client}` },
    restapi: {
      listen: `127.0.0.1:${rest}`,
      connect_address: `127.0.0.1:${rest}`,
      ...(certificate && {
        certfile: write("tls.crt", certificate.certPem),
        keyfile: write("tls.key", certificate.keyPem),
      }),
    },
    bootstrap: { dcs: { ttl: 30, loop_wait: 10, retry_timeout: 10 }, initdb: [{ encoding: "UTF8" }] },
    postgresql: {
      listen: `127.0.0.1:${postgres}`,
      connect_address: `127.0.0.1:${postgres}`,
      data_dir: join(home, "data"),
      bin_dir: postgresBin,
      authentication: {
        superuser: { username: "postgres", password: "bench" },
        replication: { username: "replicator", password: "bench" },
      },
      parameters: { unix_socket_directories: home, fsync: "off" },
    },
  };
  chownSync(home, user.uid, user.gid);
  chmodSync(home, 0o700);
  const child = spawn(patroni, [write("patroni.yml", JSON.stringify(configuration))], {
    cwd: home,
    uid: user.uid,
    gid: user.gid,
    stdio: "ignore",
    env: { PATH: process.env.PATH, HOME: home },
  });
  signal.addEventListener("abort", () => void child.kill(), { once: true });
  const target: RestTarget = {
    scheme: tls ? "https" : "http",
    host: "127.0.0.1",
    port: rest,
    tls: authority === undefined ? {} : { ca: authority.certPem },
  };
  const pid = child.pid ?? 0;
  const stop = async (): Promise<void> => {
    child.kill();
    while (child.exitCode === null && child.signalCode === null) await delay(50);
    await dcs.stop();
  };
  try {
    await untilPrimary(target, dcs);
  } catch (error) {
    await stop();
    throw error;
  }
  return { rest: target, pids: { patroni: pid, postgres: () => postmaster(join(home, "data")) }, stop };
}

async function untilPrimary(target: RestTarget, dcs: Child): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const answer = await askPatroni(target, "/primary").catch(() => undefined);
    if (answer?.code === 200 && /"state": ?"running"/.test(JSON.stringify(answer.body))) return;
    if (performance.now() > deadline)
      throw new Error(`no primary in ${READY_WITHIN_MS} ms (etcd ${dcs.pid})`);
    await delay(200);
  }
}

/** PostgreSQL leaves Patroni's family when it is started; its data folder says where it is. */
function postmaster(dataFolder: string): number[] {
  const [pid] = readFileSync(join(dataFolder, "postmaster.pid"), "utf8").split("\n").map(Number);
  return pid === undefined ? [] : [pid, ...descendants(pid)];
}

/** The processes that a process started, and those that they started. */
function descendants(pid: number): number[] {
  const children = textOf(pid).trim().split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function textOf(pid: number): string {
  try {
    return execFileSync("pgrep", ["--parent", `${pid}`, "--delimiter", " "], { encoding: "utf8" });
  } catch {
    return ""; // none
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
