import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { WEBHOOK } from "../../../../src/audit/checks/webhook.ts";
import type { Shown } from "../../../../src/audit/snapshot.ts";
import { type Authority, issueAuthority, issueLeaf } from "../../../../src/certificates/issue.ts";
import { defaultConfig } from "../../../../src/config/load.ts";
import { type JsonObject, objectsIn } from "../../../../src/json/value.ts";
import { desiredWebhookConfiguration } from "../../../../src/webhook/registration.ts";
import { audited, codesOf, namespace, threeMembers } from "../world.ts";

const NAME = "patroni-injector.injector.svc";
const NOW = new Date("2026-03-10T12:00:00Z");
const DAY_MS = 24 * 3_600_000;
const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);

let [ours, others]: Authority[] = [];
const leaves: Record<string, string> = {};

before(async () => {
  const validity = { from: inDays(-100), days: 300 };
  [ours, others] = await Promise.all([1, 2].map(() => issueAuthority("CA", validity)));
  const wanted = [
    ["good", NAME, -1],
    ["expired", NAME, -10],
    ["early", NAME, 1],
    ["misnamed", "other.injector.svc", -1],
    ["public", "hooks.example.com", -1],
  ] as const;
  const issued = wanted.map(async ([name, dnsName, from]) => {
    const names = { dnsNames: [dnsName], ipAddresses: [] };
    const leaf = await issueLeaf("s", names, { from: inDays(from), days: 5 }, ours as Authority);
    leaves[name] = leaf.certPem;
  });
  await Promise.all(issued);
});

/** @param caPem what the `caBundle` holds; the webhook's own authority where nothing is said */
const configuration = (caPem = ours?.certPem ?? "", name = "00-patroni-injector"): JsonObject => {
  const whole = desiredWebhookConfiguration(defaultConfig(), {
    ownNamespace: "injector",
    caPem,
    port: 10250,
  });
  return { ...whole, metadata: { ...(whole.metadata as JsonObject), name } };
};
const service = defaultConfig().webhook.registration.service.name;
const endpoints = (...ready: boolean[]): JsonObject => ({
  kind: "EndpointSlice",
  metadata: { namespace: "injector", name: "x", labels: { "kubernetes.io/service-name": service } },
  endpoints: ready.map((each) => ({ addresses: ["10.0.0.1"], conditions: { ready: each } })),
});
const mesh = (name: string): JsonObject => ({
  kind: "MutatingWebhookConfiguration",
  metadata: { name },
  webhooks: [],
});
const showing = (leaf: string, by = "injector/serve-1"): Shown => ({
  by,
  chain: { value: { pem: leaves[leaf] ?? "", at: NOW } },
});
const found = (objects: readonly JsonObject[], shown: readonly Shown[] = [showing("good")]) =>
  audited(WEBHOOK, { objects, shown });

const sound = (): JsonObject[] => [...threeMembers(), configuration(), endpoints(true)];

for (const [what, codes, objects] of [
  ["a sound webhook", [], sound],
  ["none", ["webhook-missing"], threeMembers],
  ["none, where nothing is to be injected", [], () => [namespace("db"), ...threeMembers().slice(1)]],
  ["one of others", ["webhook-missing"], () => [...threeMembers(), mesh("istio-sidecar-injector")]],
  [
    "nobody is ready",
    ["webhook-unreachable"],
    () => [...threeMembers(), configuration(), endpoints(false, false)],
  ],
  ["one of two is ready", [], () => [...threeMembers(), configuration(), endpoints(false, true)]],
  ["no endpoints at all", ["webhook-unreachable"], () => [...threeMembers(), configuration()]],
  [
    "the mesh comes later",
    [],
    () => [...sound(), mesh("istio-sidecar-injector"), mesh("istio-revision-tag-default")],
  ],
  [
    "the mesh comes first",
    ["webhook-order"],
    () => [
      ...threeMembers(),
      configuration(undefined, "patroni-injector"),
      endpoints(true),
      mesh("istio-sidecar-injector"),
    ],
  ],
] as const satisfies readonly (readonly [string, readonly string[], () => readonly JsonObject[]])[])
  test(what, () => {
    const outcome = found(objects());
    assert.deepEqual(codesOf(outcome), codes);
    assert.deepEqual(outcome.unseen, []);
  });

describe("trust", () => {
  const withBundle = (caPem: string): JsonObject[] => [
    ...threeMembers(),
    configuration(caPem),
    endpoints(true),
  ];
  const evidenceOf = (objects: readonly JsonObject[], shown?: readonly Shown[]): (string | undefined)[] => {
    const { findings } = found(objects, shown);
    assert.ok(findings.every(({ code }) => code === "webhook-untrusted"));
    return [...new Set(findings.map(({ evidence }) => evidence.replace(/^\d+\.mutate\.\S+: /, "")))];
  };
  const refused = (by: string, why: string): string => `what ${by} serves is refused: ${why}`;

  for (const [leaf, why] of [
    ["expired", "the certificate expired at 2026-03-05T12:00:00.000Z"],
    ["early", "the certificate is not valid before 2026-03-11T11:50:00.000Z"],
    ["misnamed", `the certificate is not for ${NAME}`],
  ] as const)
    test(leaf, () =>
      assert.deepEqual(evidenceOf(sound(), [showing(leaf)]), [refused("injector/serve-1", why)]),
    );

  test("another authority", () =>
    assert.deepEqual(evidenceOf(withBundle(others?.certPem ?? "")), [
      refused("injector/serve-1", "no authority in the caBundle has signed it and is valid now"),
    ]));
  test("ours beside another", () =>
    assert.deepEqual(evidenceOf(withBundle(`${others?.certPem}${ours?.certPem}`)), []));
  test("an empty caBundle", () => assert.deepEqual(evidenceOf(withBundle("")), ["it has no caBundle"]));
  test("one that cannot be read", () =>
    assert.deepEqual(evidenceOf(withBundle("PEM")), ["its caBundle holds no certificate that can be read"]));
  test("one replica of two", () =>
    assert.deepEqual(evidenceOf(sound(), [showing("good"), showing("misnamed", "injector/serve-2")]), [
      refused("injector/serve-2", `the certificate is not for ${NAME}`),
    ]));

  test("each entry that is refused is a finding", () => {
    const { findings } = found(sound(), [showing("expired")]);
    const entries = objectsIn(configuration().webhooks).map(({ name }) => String(name));
    const named = findings.map(({ evidence }) => evidence.split(": ")[0]);
    assert.ok(named.length > 0 && named.every((name) => entries.includes(name ?? "")));
    assert.equal(new Set(named).size, named.length);
  });

  const unseenOf = (objects: readonly JsonObject[], shown?: readonly Shown[]): string[] => {
    const outcome = audited(WEBHOOK, { objects, ...(shown ? { shown } : {}) });
    assert.deepEqual(codesOf(outcome), []);
    return outcome.unseen.map(({ codes, why }) => `${codes.join()}: ${why}`);
  };
  test("who could not be asked is named, and nobody is clean", () => {
    const silent: Shown = { by: "injector/serve-2", chain: { unseen: "403" } };
    assert.deepEqual(unseenOf(sound(), [showing("good"), silent]), [
      "webhook-untrusted: what the webhook serves: injector/serve-2: 403",
    ]);
    assert.deepEqual(unseenOf(sound()), [
      "webhook-untrusted: what the webhook serves: the webhook was not asked",
    ]);
    assert.deepEqual(unseenOf(sound(), []), [
      "webhook-untrusted: what the webhook serves: nobody is ready there",
    ]);
  });

  describe("by a URL", () => {
    const byUrl = (caBundle: string | undefined): JsonObject[] => [
      ...threeMembers(),
      {
        ...configuration(),
        webhooks: objectsIn(configuration().webhooks).map((entry) => ({
          ...entry,
          clientConfig: { url: "https://hooks.example.com:8443/mutate", ...(caBundle && { caBundle }) },
        })),
      },
    ];
    const bundle = (): string => Buffer.from(ours?.certPem ?? "").toString("base64");
    const at = "hooks.example.com, port 8443";

    test("trusted", () => assert.deepEqual(evidenceOf(byUrl(bundle()), [showing("public", at)]), []));
    test("another name", () =>
      assert.deepEqual(evidenceOf(byUrl(bundle()), [showing("good", at)]), [
        refused(at, "the certificate is not for hooks.example.com"),
      ]));
    test("without a caBundle, and not by an authority that everybody knows", () =>
      assert.deepEqual(unseenOf(byUrl(undefined), [showing("public", at)]), [
        `webhook-untrusted: whether the API server's machine trusts ${at} without a caBundle`,
      ]));
  });
});
