import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it, type TestContext } from "node:test";
import { refusal } from "../../../src/certificates/verify.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { onlyThorough } from "../../support/thorough.ts";
import { liveBundles, NAME, quiet, SERVER_NAME, startScene } from "./scene.ts";

const MINUTE = 60_000;
const MONTH = 30 * 24 * 60 * MINUTE;

async function settled(t: TestContext) {
  const scene = await startScene(t, 2);
  const { time, replicas } = scene;
  const round = async (ms = MINUTE): Promise<void> => {
    time.pass(ms);
    for (const replica of replicas) await replica.look();
    for (const replica of replicas) await replica.look();
    await quiet(replicas);
  };
  await round();
  await round();
  const served = () => replicas.map((replica) => replica.served.certificate?.certPem ?? "");
  return { ...scene, round, served };
}

const path = (name: string) => `/api/v1/namespaces/injector/secrets/${name}`;
const REMOVE_DATA: JsonObject[] = [{ op: "remove", path: "/data" }];
const SECRETS = ["patroni-injector-ca", "patroni-injector-leaf"];

describe("certificates of our own, in two Secrets", () => {
  it("are the same for all replicas, and trusted", async (t) => {
    const { served, replicas, api } = await settled(t);
    const [one, other] = served();
    assert.equal(one, other);
    assert.ok(replicas.every((replica) => replica.served.trusted));
    assert.equal(liveBundles(api)[0]?.length, 1, "replicas made an authority each");
  });

  for (const emptied of [["patroni-injector-ca"], ["patroni-injector-leaf"], SECRETS]) {
    const skip = emptied === SECRETS ? false : onlyThorough;
    it(`come back where ${emptied.join(" and ")} was emptied, without a moment of distrust`, {
      skip,
    }, async (t) => {
      const { admin, round, served, replicas, api } = await settled(t);
      const [before] = served();
      const contentType = "application/json-patch+json";
      for (const name of emptied)
        await admin.send({ method: "PATCH", path: path(name), contentType, body: REMOVE_DATA });
      for (let minute = 0; minute < 4; minute++) {
        await round();
        for (const replica of replicas) assert.deepEqual(replica.served.refusals, []);
      }
      const [one, other] = served();
      assert.notEqual(one, before);
      assert.equal(one, other);
      for (const name of emptied) {
        const { data } = await admin.send({ method: "GET", path: path(name) });
        assert.ok(Object.keys(data as JsonObject).length > 0, `${name} is empty`);
      }
      const bundle = (liveBundles(api)[0] ?? []).map(String).join("");
      assert.ok(bundle.includes("BEGIN CERTIFICATE"));
    });
  }

  it("stay trusted where the authorities' Secret was emptied, and the caBundle too", {
    skip: onlyThorough,
  }, async (t) => {
    const { admin, round, replicas, api } = await settled(t);
    const contentType = "application/json-patch+json";
    await admin.send({ method: "PATCH", path: path("patroni-injector-ca"), contentType, body: REMOVE_DATA });
    await round();
    const configuration = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${NAME}`;
    const body = [0, 1].map((index) => ({ op: "remove", path: `/webhooks/${index}/clientConfig/caBundle` }));
    await admin.send({ method: "PATCH", path: configuration, contentType, body });
    await round(1000);
    for (const replica of replicas) assert.deepEqual(replica.served.refusals, []);
    assert.equal(liveBundles(api)[0]?.length, 2, "whoever signed what is served, and the new one");
  });

  it("come back where the leaf's Secret holds nonsense, or another's key", {
    skip: onlyThorough,
  }, async (t) => {
    const { admin, round, served } = await settled(t);
    const [before] = served();
    const nonsense = { "tls.key": Buffer.from("no key").toString("base64") };
    const contentType = "application/merge-patch+json";
    await admin.send({
      method: "PATCH",
      path: path("patroni-injector-leaf"),
      contentType,
      body: { data: nonsense },
    });
    await round();
    await round();
    assert.notEqual(served()[0], before);
  });

  for (const [name, jump] of Object.entries({ forwards: 5 * MONTH, backwards: -5 * MONTH })) {
    const skip = jump < 0 ? false : onlyThorough;
    it(`a clock that jumps ${name} by months: accepted again after one look, without a restart`, {
      skip,
    }, async (t) => {
      const { time, round, served, api } = await settled(t);
      time.now += jump;
      await round(30_000);
      const bundle = (liveBundles(api)[0] ?? []).map(String).join("");
      for (const certPem of served()) {
        assert.equal(refusal(certPem, bundle, SERVER_NAME, new Date(time.now)), undefined);
      }
      time.now -= jump;
      await round(30_000);
      const [back = ""] = served();
      assert.ok(new X509Certificate(back).validFromDate.getTime() <= time.now);
    });
  }
});
