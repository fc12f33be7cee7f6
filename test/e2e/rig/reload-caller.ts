import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { RELOAD_PORT } from "../../../src/contract/ports.ts";
import {
  RELOAD_AUDIENCE,
  RELOAD_STATUS_PATH,
  type ReloadComponent,
  reloadPath,
} from "../../../src/contract/reload.ts";
import { asString, at } from "../../../src/json/value.ts";
import type { Answered, Call, Place } from "../client/reload-caller.ts";
import type { Deployed } from "./deploy.ts";

const PROGRAM = join(import.meta.dirname, "../client/reload-caller.ts");

/** An answer of the reload API; `status` 0: there was none. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted field by field
  readonly body: any;
  /** How long the caller waited. */
  readonly ms: number;
}

/** Calls the reload API of one pod through a port-forward that stays open (`client/reload-caller.ts`), as often at a time as wanted. */
export class ReloadCaller {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    this.#child = child;
  }

  /** @param account whose token is shown; `tlsSecret` holds the authority of the pod's certificate */
  static async open(
    { target, kubectl, members, form }: Deployed,
    pod: string,
    account: string,
    tlsSecret: string,
  ): Promise<ReloadCaller> {
    const { namespace, scope } = members;
    const inNamespace = `--namespace=${namespace}`;
    const secret = await kubectl.json(["get", "secret", tlsSecret, inNamespace]);
    const token = await kubectl.run([
      ...["create", "token", account, inNamespace],
      ...[`--audience=${RELOAD_AUDIENCE}`, "--duration=1h"],
    ]);
    const { prefix, kubectl: program, kubeconfig } = target.access;
    const place: Place = {
      ...{ kubectl: program, kubeconfig, namespace, pod, port: RELOAD_PORT, token: token.trim() },
      dnsName: `${pod}.${scope}-headless.${namespace}.svc`,
      ca: Buffer.from(asString(at(secret, "data", "ca.crt")) ?? "", "base64").toString("utf8"),
    };
    const [first = process.execPath, ...args] = [...prefix, process.execPath, PROGRAM];
    const caller = new ReloadCaller(spawn(first, args, { stdio: ["pipe", "pipe", "inherit"] }));
    try {
      await caller.#opened(place);
      return caller;
    } catch (error) {
      await caller.close();
      throw new Error(`no port-forward to ${pod} of ${form.name}`, { cause: error });
    }
  }

  reload(component: ReloadComponent, version: number, timeoutSeconds = 60): Promise<Answer> {
    return this.#call({ method: "POST", path: reloadPath(component), body: { version, timeoutSeconds } });
  }

  /** What `GET /v1/status` says of a component. */
  async status(component: ReloadComponent): Promise<Answer["body"]> {
    return (await this.#call({ method: "GET", path: RELOAD_STATUS_PATH })).body[component];
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.stdin.end();
    await exit;
  }

  async #opened(place: Place): Promise<void> {
    const lines = createInterface(this.#child.stdout);
    this.#child.stdin.write(`${JSON.stringify(place)}\n`);
    const ended = once(this.#child, "exit").then(([code]) => Promise.reject(new Error(`it ended (${code})`)));
    await Promise.race([once(lines, "line"), ended]);
    ended.catch(() => this.#endAll());
    lines.on("line", (line) => {
      const { id, ...answer } = JSON.parse(line) as Answered;
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  #call(call: Omit<Call, "id">): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.stdin.write(`${JSON.stringify({ id, ...call })}\n`);
    });
  }

  #endAll(): void {
    for (const resolve of this.#waiting.values()) resolve({ status: 0, body: "the caller has ended", ms: 0 });
    this.#waiting.clear();
  }
}
