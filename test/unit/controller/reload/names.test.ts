import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateNames } from "../../../../src/controller/reload/names.ts";
import type { ClusterView } from "../../../../src/controller/view.ts";
import { member, settingsOf, viewOf } from "../views.ts";

const OURS = "patroni-injector-reload-tls";
const asking = settingsOf({ reloadSecret: OURS });
const api = (subdomain: string | undefined, secret = OURS) => ({
  dnsName: ["pg-0", subdomain, "db", "svc"].filter((label) => label !== undefined).join("."),
  secret,
});
const both = (...subdomains: string[]) =>
  subdomains.flatMap((name) => [`*.${name}.db.svc`, `*.${name}.db.svc.example.org`]).sort();

const template = (settings: ReturnType<typeof settingsOf>): ClusterView["templates"] => [
  {
    namespace: "db",
    settings,
    workload: { apiVersion: "apps/v1", kind: "StatefulSet", name: "pg", uid: "set" },
    rollout: {} as ClusterView["templates"][number]["rollout"],
    selector: undefined,
  },
];

const ROWS: readonly (readonly [string, readonly ClusterView[], readonly string[]])[] = [
  ["nobody asks", [viewOf()], []],
  ["a member asks", [viewOf({ members: [member({ settings: asking })] })], both("pg-headless")],
  [
    "a template asks before there is a pod",
    [viewOf({ members: [], templates: template(asking) })],
    both("pg-headless"),
  ],
  [
    "a pod's subdomain is a Service of the user's",
    [viewOf({ members: [member({ settings: asking, reloadApi: api("own") })] })],
    both("own", "pg-headless"),
  ],
  [
    "a pod has no subdomain",
    [viewOf({ members: [member({ settings: asking, reloadApi: api(undefined) })] })],
    both("pg-headless"),
  ],
  [
    "a member names a Secret of its own",
    [
      viewOf({
        members: [member({ settings: settingsOf({ reloadSecret: "own" }), reloadApi: api("own", "own") })],
      }),
    ],
    [],
  ],
  [
    "two clusters, one of them with two members",
    [
      viewOf({ members: [member({ settings: asking }), member({ name: "pg-1", settings: asking })] }),
      viewOf({
        scope: "b",
        members: [member({ settings: settingsOf({ reloadSecret: OURS, headlessService: "b" }) })],
      }),
    ],
    both("pg-headless", "b"),
  ],
];
for (const [what, views, expected] of ROWS) {
  test(`what the certificate is for: ${what}`, () => {
    assert.deepEqual(certificateNames(views, "example.org"), expected);
  });
}
