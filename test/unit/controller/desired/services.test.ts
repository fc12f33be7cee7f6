import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { headlessFindings, headlessService } from "../../../../src/controller/desired/headless-service.ts";
import { primaryService } from "../../../../src/controller/desired/primary-service.ts";
import { at } from "../../../../src/json/value.ts";
import { member, ownService, service, settingsOf, viewOf } from "../views.ts";

const portsOf = (desired: ReturnType<typeof headlessService>) =>
  (at(desired?.object, "spec", "ports") as { name: string; port: number }[]).map(
    ({ name, port }) => `${name} ${port}`,
  );

describe("the headless Service", () => {
  it("selects injected pods by our label, ready or not", () => {
    const spec = headlessService(viewOf())?.object.spec as Record<string, unknown>;
    assert.equal(spec.clusterIP, "None");
    assert.equal(spec.publishNotReadyAddresses, true);
    assert.deepEqual(spec.selector, { "patroni-injector.io/cluster": "pg" });
  });

  it("has the ports of every member that the mesh leaves alone, each once", () => {
    const other = member({ settings: settingsOf({ excludedPorts: [5432, 8008, 8011, 9187] }) });
    assert.deepEqual(portsOf(headlessService(viewOf({ members: [member(), other] }))), [
      "tcp-postgres 5432",
      "patroni 8008",
      "injector 8011",
      "excluded-9187 9187",
    ]);
  });

  it("is left alone where somebody else made it", () => {
    assert.equal(headlessService(viewOf({ headlessService: service() })), undefined);
    assert.ok(headlessService(viewOf({ headlessService: ownService() })));
    const stripped = {
      ...service(),
      metadata: { name: "x", annotations: { "patroni-injector.io/desired": "1" } },
    };
    assert.ok(headlessService(viewOf({ headlessService: stripped })), "our own, without its label");
  });

  for (const [what, spec] of Object.entries({
    "has a ClusterIP": { clusterIP: "10.0.0.1" },
    "does not publish not-ready": { clusterIP: "None" },
    "does not select pg-0": { clusterIP: "None", publishNotReadyAddresses: true, selector: { role: "x" } },
  })) {
    it(`is reported where it ${what}`, () => {
      const [finding] = headlessFindings(viewOf({ headlessService: service(spec) }));
      assert.equal(finding?.reason, "headless-unfit");
      assert.ok(finding?.detail.includes(what));
    });
  }
});

describe("the primary Service", () => {
  it("has no selector, and a numeric target port: PostgreSQL's own", () => {
    const { object } =
      primaryService(viewOf({ settings: settingsOf({ postgresPort: 6000 }) }), undefined) ?? {};
    assert.deepEqual(object?.spec, {
      ports: [{ name: "tcp-postgres", port: 5432, targetPort: 6000, protocol: "TCP" }],
    });
  });

  it("comes back with the address that it had, which is not asked of one that is there", () => {
    assert.equal(at(primaryService(viewOf(), "10.96.0.9")?.object, "spec", "clusterIP"), "10.96.0.9");
    const there = primaryService(viewOf({ primaryService: ownService() }), "10.96.0.9");
    assert.equal(at(there?.object, "spec", "clusterIP"), undefined);
  });

  it("is left alone where somebody else made it", () => {
    assert.equal(primaryService(viewOf({ primaryService: service() }), undefined), undefined);
  });
});

it("a digest of what is wanted stands on each object, and follows what is wanted", () => {
  const digest = (postgresPort: number) => {
    const desired = primaryService(viewOf({ settings: settingsOf({ postgresPort }) }), undefined);
    return at(desired?.object, "metadata", "annotations", "patroni-injector.io/desired");
  };
  assert.equal(digest(5432), digest(5432));
  assert.notEqual(digest(5432), digest(5433));
});
