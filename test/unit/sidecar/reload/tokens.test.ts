import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { exportJWK, type JWK, SignJWT } from "jose";
import type { JsonObject } from "../../../../src/json/value.ts";
import { IssuerKeys } from "../../../../src/sidecar/reload/auth/issuer.ts";
import { tokenAdmission } from "../../../../src/sidecar/reload/auth/tokens.ts";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const CALLER = "system:serviceaccount:ops:pipeline";

interface Key {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function newKey(kid: string, algorithm: "RS256" | "ES256" = "RS256"): Key {
  const pair =
    algorithm === "RS256"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, algorithm, ...pair };
}

const publicJwk = async ({ kid, algorithm, publicKey }: Key): Promise<JWK> => ({
  ...(await exportJWK(publicKey)),
  kid,
  alg: algorithm,
  use: "sig",
});

/** The API server's two documents, and how often they were read. */
class ApiServer {
  keys: JWK[] = [];
  reads = 0;
  down = false;

  async send({ path }: { path: string }) {
    this.reads++;
    const body = path === "/openid/v1/jwks" ? { keys: this.keys } : { issuer: ISSUER };
    const answer = { retryAfterMs: 0, expired: false };
    return this.down
      ? { ...answer, code: 0, body: {}, problem: "no answer" }
      : { ...answer, code: 200, body: body as unknown as JsonObject, problem: "" };
  }
}

interface Claims {
  readonly issuer?: string;
  readonly audience?: string | string[];
  readonly subject?: string;
  readonly seconds?: number;
  readonly notBefore?: number;
}

const signed = (key: Key, claims: Claims = {}): Promise<string> => {
  const {
    issuer = ISSUER,
    audience = "patroni-injector",
    subject = CALLER,
    seconds = 600,
    notBefore = 0,
  } = claims;
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({})
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setNotBefore(now + notBefore)
    .setExpirationTime(now + seconds)
    .sign(key.privateKey);
};

const FIRST = newKey("first");
const SECOND = newKey("second", "ES256");

async function world(keys: readonly Key[] = [FIRST]) {
  const server = new ApiServer();
  server.keys = await Promise.all(keys.map(publicJwk));
  const clock = { ms: 0 };
  const admit = tokenAdmission(new IssuerKeys(server, () => clock.ms), [
    "ops/pipeline",
    "db/operator",
    "injector/controller:status",
  ]);
  const ask = (token: string, scheme = "Bearer") =>
    admit({ headers: { authorization: `${scheme} ${token}` } });
  return { server, clock, ask, admit };
}

test("a token of a ServiceAccount on the list is admitted, by its name", async () => {
  const { ask } = await world();
  assert.deepEqual(await ask(await signed(FIRST)), { kind: "admitted", caller: "ops/pipeline" });
  assert.deepEqual(await ask(await signed(FIRST, { audience: ["other", "patroni-injector"] }), "bearer"), {
    kind: "admitted",
    caller: "ops/pipeline",
  });
});

test("who is on the list for the status alone is known as that, and only by its own name", async () => {
  const { ask } = await world();
  const subject = "system:serviceaccount:injector:controller";
  const expected = { kind: "admitted", caller: "injector/controller", onlyLooks: true };
  assert.deepEqual(await ask(await signed(FIRST, { subject })), expected);
  const odd = await ask(await signed(FIRST, { subject: `${subject}:status` }));
  assert.equal(odd.kind, "refused");
});

const REFUSED: readonly (readonly [string, Claims, string, RegExp])[] = [
  ["for another audience", { audience: "https://kubernetes.default.svc" }, "unauthenticated", /"aud"/],
  ["of another issuer", { issuer: "https://elsewhere" }, "unauthenticated", /"iss"/],
  ["that has expired", { seconds: -10 }, "unauthenticated", /"exp"/],
  ["of the future", { notBefore: 60 }, "unauthenticated", /"nbf"/],
  ["of another ServiceAccount", { subject: "system:serviceaccount:ops:other" }, "forbidden", /allow-list/],
  ["of a ServiceAccount whose name only begins so", { subject: `${CALLER}2` }, "forbidden", /allow-list/],
  [
    "of one with colons for a slash",
    { subject: "system:serviceaccount:ops/pipeline" },
    "forbidden",
    /allow-list/,
  ],
  ["of a user of that name", { subject: "ops/pipeline" }, "forbidden", /allow-list/],
];
for (const [what, claims, problem, why] of REFUSED) {
  test(`a token ${what} is refused: ${problem}`, async () => {
    const { ask } = await world();
    const verdict = await ask(await signed(FIRST, claims));
    assert.equal(verdict.kind, "refused");
    assert.equal(verdict.kind === "refused" && verdict.problem, problem);
    assert.match(verdict.kind === "refused" ? verdict.why : "", why);
  });
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("neither `none` nor a public key taken for a shared secret passes", async () => {
  const { ask } = await world();
  const now = Math.floor(Date.now() / 1000);
  const claims = encoded({ iss: ISSUER, aud: "patroni-injector", sub: CALLER, exp: now + 600 });
  const unsigned = `${encoded({ alg: "none", kid: "first" })}.${claims}.`;
  const head = `${encoded({ alg: "HS256", kid: "first" })}.${claims}`;
  const secrets = [
    FIRST.publicKey.export({ type: "spki", format: "pem" }) as string,
    FIRST.publicKey.export({ type: "spki", format: "der" }) as Buffer,
  ];
  const confused = secrets.map(
    (secret) => `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`,
  );
  for (const token of [unsigned, ...confused]) {
    const verdict = await ask(token);
    assert.equal(verdict.kind === "refused" && verdict.problem, "unauthenticated");
  }
});

test("an algorithm that no API server signs with is refused, even with a key that is published", async () => {
  const odd: Key = { kid: "odd", algorithm: "EdDSA", ...generateKeyPairSync("ed25519") };
  const { ask } = await world([FIRST, odd]);
  const verdict = await ask(await signed(odd));
  assert.equal(verdict.kind === "refused" && verdict.problem, "unauthenticated");
});

test("a token without an end, or without a subject, is refused", async () => {
  const { ask } = await world();
  const head = { alg: "RS256", kid: "first" };
  const endless = await new SignJWT({ sub: CALLER })
    .setProtectedHeader(head)
    .setIssuer(ISSUER)
    .setAudience("patroni-injector")
    .sign(FIRST.privateKey);
  const nameless = await new SignJWT({})
    .setProtectedHeader(head)
    .setIssuer(ISSUER)
    .setAudience("patroni-injector")
    .setExpirationTime("10m")
    .sign(FIRST.privateKey);
  for (const token of [endless, nameless]) assert.equal((await ask(token)).kind, "refused");
});

test("what is no token is refused without asking the API server", async () => {
  const { ask, admit, server } = await world();
  assert.equal((await admit({ headers: {} })).kind, "refused");
  assert.equal((await ask("x".repeat(9000))).kind, "refused");
  assert.equal((await ask("a b")).kind, "refused");
  assert.equal((await ask("dXNlcjpwYXNz", "Basic")).kind, "refused");
  assert.equal(server.reads, 0);
});

test("keys that were rotated are read again: at once, but not for every token", async () => {
  const { ask, server, clock } = await world([FIRST]);
  await ask(await signed(FIRST));
  assert.equal(server.reads, 2);
  server.keys = [await publicJwk(FIRST), await publicJwk(SECOND)];
  clock.ms = 20_000;
  assert.equal((await ask(await signed(SECOND))).kind, "admitted");
  assert.equal(server.reads, 4);
  const unknown = await signed(newKey("third"));
  for (let n = 0; n < 20; n++) assert.equal((await ask(unknown)).kind, "refused");
  assert.equal(server.reads, 4, "not within ten seconds");
  clock.ms = 40_000;
  await Promise.all(Array.from({ length: 20 }, () => ask(unknown)));
  assert.equal(server.reads, 6, "once for all");
});

test("a key that was withdrawn does not count for ever; one that replaced another under its name counts", async () => {
  const { ask, server, clock } = await world([FIRST]);
  const old = await signed(FIRST);
  await ask(old);
  const replaced = { ...newKey("first") };
  server.keys = [await publicJwk(replaced)];
  clock.ms = 20_000;
  assert.equal((await ask(await signed(replaced))).kind, "admitted");
  assert.equal((await ask(old)).kind, "refused");
  server.keys = [];
  clock.ms += 11 * 60_000;
  assert.equal((await ask(await signed(replaced))).kind, "refused");
});

test("an API server that does not answer refuses whom it would have to vouch for, and no others", async () => {
  const { ask, server, clock } = await world();
  server.down = true;
  const verdict = await ask(await signed(FIRST));
  assert.match(verdict.kind === "refused" ? verdict.why : "", /no answer/);
  server.down = false;
  assert.equal((await ask(await signed(FIRST))).kind, "admitted");
  server.down = true;
  clock.ms = 60_000;
  assert.equal((await ask(await signed(FIRST))).kind, "admitted");
});
