import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createAuthority, issueServerCertificate } from "../../demo/kube-api/certificate.ts";
import { orItsEnd, startProcess } from "../processes.ts";
import type { Contender, StartOptions } from "./contender.ts";
import type { Listening } from "./yardsticks/listen.ts";

const HOST = "127.0.0.1";

/** Starts `yardsticks/<name>.ts` with a certificate of its own. */
export async function startYardstick(
  name: "echo" | "express",
  { cpu, signal }: StartOptions,
): Promise<Contender> {
  const authority = createAuthority("Yardstick");
  const program = fileURLToPath(new URL(`./yardsticks/${name}.ts`, import.meta.url));
  const child = startProcess([process.execPath, program], {
    cpu,
    signal,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const listening = once(child.process, "message");
  child.process.send(issueServerCertificate(authority, [HOST]));
  const [{ port }] = (await orItsEnd(child, name, listening)) as [Listening];
  return {
    name,
    pid: child.pid,
    endpoint: { host: HOST, port, path: "/mutate?timeout=5s", ca: authority.pem },
    stop: () => child.stop(),
  };
}
