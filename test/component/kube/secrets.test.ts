import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { at } from "../../../src/json/value.ts";
import { KubeSecrets } from "../../../src/kube/secrets.ts";
import { bystander, order, startConnected } from "./support.ts";

const PATH = "/api/v1/namespaces/default/secrets";

async function scene(t: TestContext) {
  const { api, connection } = await startConnected(t);
  const others = await bystander(t, api);
  const [ours, theirs] = [new KubeSecrets(connection, "default"), new KubeSecrets(others, "default")];
  return { api, others, ours, theirs };
}

describe("Secrets, of which several processes keep one", () => {
  it("is made where there is none, by the faster one", async (t) => {
    const { ours, theirs } = await scene(t);
    const [one, other] = [await ours.read("ca"), await theirs.read("ca")];
    assert.deepEqual(one, { data: {}, version: undefined });
    assert.equal(await ours.write("ca", { a: "ü" }, one), true);
    assert.equal(await theirs.write("ca", { a: "2" }, other), false);
    assert.deepEqual((await theirs.read("ca")).data, { a: "ü" });
  });

  it("is replaced by the faster one, and never by one that read it before", async (t) => {
    const { ours, theirs } = await scene(t);
    await ours.write("ca", { a: "1" }, await ours.read("ca"));
    const [one, other] = [await ours.read("ca"), await theirs.read("ca")];
    assert.equal(await theirs.write("ca", { b: "2" }, other), true);
    assert.equal(await ours.write("ca", { a: "3" }, one), false);
    assert.deepEqual((await ours.read("ca")).data, { b: "2" });
  });

  it("keeps its labels, as a chart made it, and its data are ours as a whole", async (t) => {
    const { ours, others } = await scene(t);
    const metadata = { name: "ca", namespace: "default", labels: { "helm.sh/chart": "x" } };
    const body = { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata };
    await others.send({ method: "POST", path: PATH, body });
    await ours.write("ca", { a: "1" }, await ours.read("ca"));
    const live = await others.send({ method: "GET", path: `${PATH}/ca` });
    assert.equal(at(live, "metadata", "labels", "helm.sh/chart"), "x");
    assert.deepEqual(live.data, { a: Buffer.from("1").toString("base64") });
  });

  it("is not made again by one that read it before it was deleted", async (t) => {
    const { ours, others } = await scene(t);
    await ours.write("ca", { a: "1" }, await ours.read("ca"));
    const read = await ours.read("ca");
    await others.send({ method: "DELETE", path: `${PATH}/ca` });
    assert.equal(await ours.write("ca", { a: "2" }, read), false);
    assert.equal((await ours.read("ca")).version, undefined);
  });

  it("is a failure where the API server refuses or is away", async (t) => {
    const { api, ours } = await scene(t);
    const read = await ours.read("ca");
    order(api, { kind: "status", status: 403 });
    await assert.rejects(ours.read("ca"), /403/);
    await assert.rejects(ours.write("ca", {}, read), /403/);
  });
});
