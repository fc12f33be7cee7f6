import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { after, before, test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { KubeError } from "../../../src/kube/error.ts";
import { type Arguments, parseArguments } from "../../../src/reload/arguments.ts";
import { table } from "../../../src/reload/command.ts";
import { type ReloadTools, reload } from "../../../src/reload/reload.ts";
import { Component } from "../../../src/sidecar/reload/component.ts";
import { reloadApi } from "../../../src/sidecar/reload/http/api.ts";
import { failed, type Outcome, proven } from "../../../src/sidecar/reload/outcome.ts";
import { type Authority, newAuthority } from "../../cluster/authority.ts";
import { SetVersion } from "../sidecar/reload/world.ts";

const NAMES = ["pg-0", "pg-1", "pg-2"];

/** A pod's reload API with TLS. */
class Pod {
  readonly name: string;
  readonly version = new SetVersion();
  readonly reloads: number[] = [];
  outcome: Outcome = proven("console");
  readonly component = new Component({
    name: "pgbouncer",
    versions: this.version,
    reload: async (version) => {
      this.reloads.push(version);
      order.push(this.name);
      return this.outcome;
    },
    onReload: () => undefined,
    onVersion: () => undefined,
  });
  server: Server | undefined;
  port = 0;

  constructor(name: string) {
    this.name = name;
  }

  async serve(certificate: { certPem: string; keyPem: string }): Promise<void> {
    const api = reloadApi({
      components: [this.component],
      admit: async ({ headers }) =>
        headers.authorization === "Bearer token-of-ops/pipeline"
          ? { kind: "admitted", caller: "ops/pipeline" }
          : { kind: "refused", problem: "forbidden", why: "somebody else" },
      onAnswer: () => undefined,
      onFault: () => undefined,
    });
    this.server = createServer({ cert: certificate.certPem, key: certificate.keyPem }, api).listen(
      0,
      "127.0.0.1",
    );
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
  }
}

let authority: Authority;
let order: string[] = [];
let pods: Pod[] = [];

before(async () => {
  authority = await newAuthority("test");
  pods = NAMES.map((name) => new Pod(name));
  await Promise.all(
    pods.map(async (pod) => pod.serve(await authority.issueServer([`${pod.name}.pg-headless.db.svc`]))),
  );
});
after(() => {
  for (const { server, component } of pods) {
    component.close();
    server?.closeAllConnections();
    server?.close();
  }
});

const podObject = (name: string): JsonObject => ({
  metadata: { namespace: "db", name },
  spec: {
    hostname: name,
    subdomain: "pg-headless",
    volumes: [{ name: "patroni-injector-reload-tls", secret: { secretName: "pg-tls" } }],
  },
});

/** The API server, as far as the command needs it. */
function kube(primary: string | undefined): ReloadTools["kube"] {
  const endpoints = primary === undefined ? [] : [{ targetRef: { kind: "Pod", name: primary } }];
  const answers: Record<string, JsonObject> = {
    "GET /api/v1/namespaces/db/pods": { items: NAMES.map(podObject) },
    "GET /api/v1/namespaces/db/pods/pg-1": podObject("pg-1"),
    "GET /apis/discovery.k8s.io/v1/namespaces/db/endpointslices/pg-primary": {
      endpoints,
    } as unknown as JsonObject,
    "GET /api/v1/namespaces/db/secrets/pg-tls": {
      data: { "ca.crt": Buffer.from(authority.certPem).toString("base64") },
    },
    "POST /api/v1/namespaces/ops/serviceaccounts/pipeline/token": {
      status: { token: "token-of-ops/pipeline" },
    },
    "POST /api/v1/namespaces/db/serviceaccounts/other/token": { status: { token: "token-of-db/other" } },
  };
  return {
    send: async ({ method, path }) =>
      answers[`${method} ${path}`] ?? Promise.reject(new KubeError(`${method} ${path}: 404`, { code: 404 })),
  };
}

function wanted(...argv: string[]): Arguments {
  const request = parseArguments([
    ...argv,
    "-n",
    "db",
    "--component",
    "pgbouncer",
    ...(argv.includes("--service-account") ? [] : ["--service-account", "ops/pipeline"]),
  ]);
  return request.kind === "run" ? request.arguments : assert.fail(JSON.stringify(request));
}

function tools(
  primary: string | undefined,
  portOf = (name: string) => pods.find((pod) => pod.name === name)?.port ?? 1,
) {
  const lines: string[] = [];
  const all: ReloadTools = {
    kube: kube(primary),
    openPort: async (namespace, pod, port) => {
      assert.equal(`${namespace} ${port}`, "db 8012");
      const socket = connect(portOf(pod), "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
    say: (line) => void lines.push(line),
  };
  return { ...all, lines };
}

function fresh(version: number): void {
  order = [];
  for (const pod of pods) {
    pod.outcome = proven("console");
    pod.version.set(version);
  }
}

test("a cluster: replicas first, the primary last", async () => {
  fresh(5);
  const used = tools("pg-0");
  const rows = await reload(wanted("cluster/pg", "--version", "5"), used);
  assert.deepEqual(order, ["pg-1", "pg-2", "pg-0"]);
  assert.ok(rows.every(({ proven }) => proven));
  assert.equal(
    table(rows),
    [
      "MEMBER  ROLE     VERSION  RESULT",
      "pg-1    replica  5        proven (console)",
      "pg-2    replica  5        proven (console)",
      "pg-0    primary  5        proven (console)",
      "",
    ].join("\n"),
  );
  assert.equal(used.lines[0], "pg-1: waits for version 5 of pgbouncer, up to 60 s");
});

test("it stops at the first failure, and says what the others run", async () => {
  fresh(6);
  const [, , second] = pods;
  if (second !== undefined)
    second.outcome = failed("configuration-invalid", "faults", [
      { file: "pgbouncer.ini", line: 3, message: "no" },
    ]);
  const rows = await reload(wanted("cluster/pg", "--version", "6"), tools("pg-0"));
  assert.deepEqual(order, ["pg-1", "pg-2"]);
  assert.deepEqual(
    rows.map(({ member, version, result, proven }) => [member, version, proven, result]),
    [
      ["pg-1", 6, true, "proven (console)"],
      ["pg-2", 5, false, "configuration-invalid (422): faults; pgbouncer.ini:3:no"],
      ["pg-0", 5, false, "not asked"],
    ],
  );
});

test("one pod, settings that wait for a restart, and what nothing was seen of", async () => {
  fresh(7);
  const [, first] = pods;
  if (first !== undefined) first.outcome = proven("console", ["listen_backlog"], ["a", "b"]);
  const used = tools(undefined);
  const rows = await reload(wanted("pod/pg-1", "--version", "6"), used);
  assert.deepEqual(rows, [
    {
      member: "pg-1",
      role: "",
      version: 7,
      result: "proven (console); waits for a restart: listen_backlog",
      proven: true,
    },
  ]);
  assert.equal(used.lines.at(-1), "pg-1: not verified: a; b");
});

test("a pod that proves a lower version is not believed, nor is one that answers something else", async (t) => {
  for (const body of ['{"appliedVersion":7}', "{}", "hello"]) {
    const liar = createServer(
      await authority
        .issueServer(["pg-1.pg-headless.db.svc"])
        .then(({ certPem: cert, keyPem: key }) => ({ cert, key })),
      (_, response) => void response.end(body),
    ).listen(0, "127.0.0.1");
    await once(liar, "listening");
    t.after(() => liar.close());
    const { port } = liar.address() as AddressInfo;
    const [row] = await reload(
      wanted("pod/pg-1", "--version", "8"),
      tools(undefined, () => port),
    );
    assert.equal(row?.proven, false);
  }
});

test("the certificate must be for the pod that is meant: the token goes to nobody else", async () => {
  fresh(8);
  const other = pods[2]?.port ?? 0;
  const [row] = await reload(
    wanted("pod/pg-1", "--version", "8"),
    tools(undefined, () => other),
  );
  assert.equal(row?.proven, false);
  assert.match(row?.result ?? "", /not asked: .*(altnames|Host)/);
  assert.deepEqual(order, []);
});

test("a ServiceAccount that is not on the list, and a listener that is closed", async () => {
  fresh(9);
  const refused = await reload(
    wanted("pod/pg-1", "--version", "9", "--service-account", "other"),
    tools(undefined),
  );
  assert.match(refused[0]?.result ?? "", /^forbidden \(403\): somebody else/);
  const closed = await reload(
    wanted("pod/pg-1", "--version", "9"),
    tools(undefined, () => 1),
  );
  assert.match(closed[0]?.result ?? "", /^not asked: .*ECONNREFUSED/);
});

test("a cluster without pods, and a pod that is not there, are errors", async () => {
  const none = { ...tools(undefined), kube: { send: async () => ({ items: [] }) } };
  await assert.rejects(
    reload(wanted("cluster/pg", "--version", "1"), none),
    /no injected pods of the cluster pg in db/,
  );
  await assert.rejects(reload(wanted("pod/pg-9", "--version", "1"), tools(undefined)), /404/);
});

const USAGE: readonly (readonly [string, RegExp])[] = [
  ["", /Give pod\/NAME or cluster\/NAME/],
  ["pg-0", /Give pod\/NAME or cluster\/NAME/],
  ["pod/a pod/b --component postgres --version 1 --service-account a", /Give pod\/NAME/],
  ["pod/a --version 1 --service-account a", /--component is one of postgres, pgbouncer/],
  ["pod/a --component x --version 1 --service-account a", /--component is one of/],
  ["pod/a --component postgres --service-account a", /--version is a whole number/],
  ["pod/a --component postgres --version 1.5 --service-account a", /--version is a whole number/],
  ["pod/a --component postgres --version 1", /either --service-account NAME or --token-file FILE/],
  ["pod/a --component postgres --version 1 --service-account a --token-file b", /either --service-account/],
  [
    "pod/a --component postgres --version 1 --service-account a --timeout 301",
    /--timeout is a number of seconds/,
  ],
  ["pod/a --component postgres --version 1 --service-account a --what", /Unknown option/],
];
for (const [line, message] of USAGE) {
  test(`usage: reload ${line}`, () => {
    const request = parseArguments(line.split(" ").filter(Boolean));
    assert.match(request.kind === "usage" ? request.message : request.kind, message);
  });
}
