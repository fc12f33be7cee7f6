import { createServer } from "node:net";

/** Where simulated members can live on this machine. */
export interface Place {
  readonly hosts: readonly string[];
  readonly ports: { readonly rest: number; readonly postgres: number };
}

const HOSTS = ["127.20.0.1", "127.20.0.2", "127.20.0.3"] as const;

/**
 * Three loopback addresses with the same two ports free on each: Patroni's and PostgreSQL's own where nobody has them. Undefined
 * on systems that have one loopback address only.
 */
export async function findPlace(): Promise<Place | undefined> {
  for (const ports of [
    { rest: 8008, postgres: 5432 },
    { rest: 38_008, postgres: 35_432 },
  ]) {
    const answers = await Promise.all(
      HOSTS.flatMap((host) => [ports.rest, ports.postgres].map((port) => canListen(host, port))),
    );
    if (answers.includes("EADDRNOTAVAIL")) return undefined;
    if (answers.every((answer) => answer === "free")) return { hosts: HOSTS, ports };
  }
  return undefined;
}

function canListen(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
    server.listen(port, host, () => server.close(() => resolve("free")));
  });
}
