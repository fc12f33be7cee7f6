/**
 * Calls a pod's reload API through one port-forward that stays open, a connection with TLS for each call as curl makes it, and tells how
 * long each took. It runs where the cluster is reached; one JSON object a line:
 *
 * stdin: first a `Place`, then `Call`s, as many at a time as are wanted; its end ends the program
 * stdout: first `{}` once the port is open, then an `Answered` for each call, in the order in which they end
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:https";
import { createInterface } from "node:readline";

export interface Place {
  readonly kubectl: string;
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  /** What the pod's certificate must be for, and who must vouch for it. */
  readonly dnsName: string;
  readonly ca: string;
  readonly token: string;
}

export interface Call {
  readonly id: number;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: object;
}

export interface Answered {
  readonly id: number;
  /** 0: there was no answer, and `body` says why. */
  readonly status: number;
  readonly body: unknown;
  readonly ms: number;
}

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function main(): Promise<void> {
  const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
  const place = JSON.parse((await lines.next()).value ?? "{}") as Place;
  const { kubectl, kubeconfig, namespace, pod } = place;
  const forward = spawn(
    kubectl,
    [
      `--kubeconfig=${kubeconfig}`,
      `--namespace=${namespace}`,
      "port-forward",
      `pod/${pod}`,
      `:${place.port}`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    const [first] = (await once(createInterface(forward.stdout), "line")) as [string];
    const port = Number(/:(\d+) ->/.exec(first)?.[1]);
    say({});
    for await (const line of lines) void call(JSON.parse(line), port, place).then(say);
  } finally {
    forward.kill();
  }
}

function call({ id, method, path, body }: Call, port: number, place: Place): Promise<Answered> {
  const began = performance.now();
  const answered = (status: number, said: unknown): Answered => ({
    id,
    status,
    body: said,
    ms: performance.now() - began,
  });
  return new Promise((resolve) => {
    const sent = request(
      {
        ...{ host: "127.0.0.1", port, servername: place.dnsName, ca: place.ca, agent: false },
        ...{ method, path },
        headers: {
          authorization: `Bearer ${place.token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", (error) => resolve(answered(0, error.message)));
        response.on("end", () => resolve(answered(response.statusCode ?? 0, JSON.parse(text))));
      },
    );
    sent.on("error", (error) => resolve(answered(0, error.message)));
    sent.end(body && JSON.stringify(body));
  });
}

if (import.meta.main) await main();
