import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { publishedAddresses } from "../../../src/primary/slice.ts";
import { PRIMARY, REPLICA, ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { eventually } from "../suite/eventually.ts";
import { addressOf, Controlled, type Place } from "./controlled.ts";

const APPLY = { "content-type": "application/apply-patch+yaml" };

let controlled: Controlled;
let namespaces = 0;

before(async () => {
  controlled = await Controlled.start();
  controlled.controller();
  await eventually("the controller has read everything", async () =>
    controlled.logged.some(({ msg }) => msg === "controller started"),
  );
});
after(() => controlled?.stop());

/** A namespace of the test's own with a cluster of members, the first of them the primary. */
async function cluster(t: TestContext, size = 1, prepare?: (place: Place) => Promise<unknown>) {
  const ordinal = ++namespaces;
  const place = await controlled.addNamespace(`db-${ordinal}`);
  await prepare?.(place);
  const members: ScriptedMember[] = [];
  for (let index = 0; index < size; index++) {
    const member = await new ScriptedMember(`pg-${index}`, `127.31.${ordinal}.${index + 1}`).start();
    t.after(() => member.stop());
    member.answer = index === 0 ? PRIMARY : REPLICA;
    members.push(member);
    await place.addPod(member);
  }
  return { place, members, primary: members[0] as ScriptedMember };
}

interface Owner {
  readonly manager: unknown;
  readonly operation: unknown;
  readonly fields: JsonObject;
}

const ownersOf = (object: JsonObject | undefined): Owner[] =>
  objectsIn(at(object, "metadata", "managedFields")).map(({ manager, operation, fieldsV1 }) => ({
    manager,
    operation,
    fields: asObject(fieldsV1) ?? {},
  }));

const ours = (object: JsonObject | undefined): Owner[] =>
  ownersOf(object).filter(({ manager }) => manager === "patroni-injector");

/** Every leaf that somebody owns, as a path. */
function leaves(fields: JsonObject, path = ""): string[] {
  const inner = Object.entries(fields).filter(([key]) => key !== ".");
  return inner.length === 0
    ? [path]
    : inner.flatMap(([key, value]) => leaves(asObject(value) ?? {}, `${path}/${key}`));
}

const port = (number: number) => `k:{"port":${number},"protocol":"TCP"}`;

describe("what the controller owns of an object", { concurrency: 4 }, () => {
  it("is what it wants, from its first write on, and not what it wanted once", async (t) => {
    const { place, primary, members } = await cluster(t);
    await place.untilPublished(primary);
    const before = await place.read(place.headless);
    const [owner, ...others] = ours(before);
    assert.deepEqual([owner?.operation, others.length], ["Apply", 0]);
    const rest = port(members[0]?.ports.rest ?? 0);
    const fields = leaves(owner?.fields ?? {});
    assert.deepEqual(fields.filter((path) => !path.includes("k:{")).sort(), [
      "/f:metadata/f:annotations/f:patroni-injector.io/desired",
      "/f:metadata/f:labels/f:app.kubernetes.io/managed-by",
      "/f:metadata/f:labels/f:patroni-injector.io/cluster",
      "/f:spec/f:clusterIP",
      "/f:spec/f:publishNotReadyAddresses",
      "/f:spec/f:selector",
    ]);
    assert.ok(fields.some((path) => path.startsWith(`/f:spec/f:ports/${rest}`)));

    // A port that is excluded from the mesh, and is not any more.
    const pod = `${place.core("pods")}/${primary.name}`;
    const exclude = (value: string | null) =>
      place.change(pod, { metadata: { annotations: { "patroni-injector.io/exclude-ports": value } } });
    const portsOf = (service: JsonObject) => objectsIn(at(service, "spec", "ports")).map((each) => each.port);
    await exclude("9187");
    await place.eventually("there is one more", place.headless, (service) => portsOf(service).includes(9187));
    await exclude(null);
    await place.eventually("it is gone", place.headless, (service) => !portsOf(service).includes(9187));
    const after = ours(await place.read(place.headless));
    assert.deepEqual([after[0]?.operation, after.length], ["Apply", 1]);
    assert.deepEqual(leaves(after[0]?.fields ?? {}).sort(), fields.sort());
  });

  it("is not what users add to it: labels, annotations and ports stay", async (t) => {
    const { place, primary } = await cluster(t);
    await place.untilPublished(primary);
    const extra = { name: "metrics", port: 9187, protocol: "TCP", targetPort: 9187 };
    for (const path of [place.headless, place.primary]) {
      const service = (await place.read(path)) ?? {};
      const ports = [...objectsIn(at(service, "spec", "ports")), extra];
      await place.change(path, {
        metadata: { labels: { team: "shop" }, annotations: { "example/note": "ours" } },
        spec: { ports },
      });
    }
    await place.change(place.headless, { spec: { publishNotReadyAddresses: false } });
    await place.eventually(
      "ours is put right",
      place.headless,
      (service) => at(service, "spec", "publishNotReadyAddresses") === true,
    );
    await delay(500);
    for (const path of [place.headless, place.primary]) {
      const service = await place.read(path);
      assert.equal(at(service, "metadata", "labels", "team"), "shop");
      assert.equal(at(service, "metadata", "annotations", "example/note"), "ours");
      assert.ok(
        objectsIn(at(service, "spec", "ports")).some(({ name }) => name === "metrics"),
        path,
      );
    }
    await place.eventually("the slice has it too", place.slice, ({ ports }) =>
      objectsIn(ports).some(({ name }) => name === "metrics"),
    );
    const versions = async () =>
      [await place.read(place.headless), await place.read(place.slice)].map((object) =>
        at(object, "metadata", "resourceVersion"),
      );
    const settled = await versions();
    const writes = async () =>
      (await controlled.asked(place.namespace)).filter(({ verb }) => !["get", "list", "watch"].includes(verb))
        .length;
    const count = await writes();
    await place.change(place.primary, { metadata: { labels: { team: "other" } } }); // it is looked at again
    await delay(1000);
    assert.deepEqual(await versions(), settled);
    assert.equal(await writes(), count, "nothing is written for what users added");
  });

  it("is taken back from whoever applies other values, and conflicts with them", async (t) => {
    const { place, primary } = await cluster(t);
    await place.untilPublished(primary);
    const theirs = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "pg-headless" },
      spec: { publishNotReadyAddresses: false },
    };
    const path = `${place.headless}?fieldManager=kubectl`;
    const refused = await controlled.plane.api.request("PATCH", path, theirs, APPLY);
    assert.equal(refused.status, 409, "who applies without force is told of us");
    assert.match(JSON.stringify(refused.body), /patroni-injector/);
    const forced = await controlled.plane.api.request("PATCH", `${path}&force=true`, theirs, APPLY);
    assert.equal(forced.status, 200);
    await place.eventually(
      "it is taken back",
      place.headless,
      (service) => at(service, "spec", "publishNotReadyAddresses") === true,
    );
    const owners = ownersOf(await place.read(place.headless));
    const owning = owners.filter(({ fields }) =>
      leaves(fields).includes("/f:spec/f:publishNotReadyAddresses"),
    );
    assert.deepEqual(
      owning.map(({ manager }) => manager),
      ["patroni-injector"],
    );
  });
});

describe("the slice", { concurrency: 4 }, () => {
  it("is created and replaced, and never patched", async (t) => {
    const { place, primary } = await cluster(t);
    await place.untilPublished(primary);
    await place.change(place.slice, {
      metadata: { labels: { "kubernetes.io/service-name": null, team: "shop" } },
    });
    await place.eventually(
      "the label is back",
      place.slice,
      ({ metadata }) => at(metadata, "labels", "kubernetes.io/service-name") === "pg-primary",
    );
    const slice = await place.read(place.slice);
    assert.equal(at(slice, "metadata", "labels", "team"), "shop", "what users add stays");
    assert.deepEqual([...new Set(ours(slice).map(({ operation }) => operation))], ["Update"]);
    const verbs = (await controlled.asked())
      .filter(({ resource }) => resource === "endpointslices")
      .map(({ verb }) => verb);
    assert.deepEqual(
      [...new Set(verbs)].filter((verb) => !["get", "list", "watch"].includes(verb)).sort(),
      ["create", "delete", "update"].filter((verb) => verbs.includes(verb)),
    );
  });

  it("is of the Service's first family", async (t) => {
    const { place, primary } = await cluster(t);
    await place.untilPublished(primary);
    assert.equal((await place.read(place.slice))?.addressType, "IPv6");
    const ports = [{ name: "db", port: 5432, targetPort: 5432 }];
    const other = await cluster(t, 1, (there) =>
      there.create(there.services, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "pg-primary" },
        spec: { ports, ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv4", "IPv6"] },
      }),
    );
    await other.place.eventually(
      "there is one",
      other.place.slice,
      ({ addressType }) => addressType === "IPv4",
    );
  });

  it("survives its Service, which comes back with the address that it had", async (t) => {
    const { place, primary } = await cluster(t);
    await place.untilPublished(primary);
    const before = await place.read(place.primary);
    await place.remove(place.primary);
    await place.eventually(
      "the Service is back",
      place.primary,
      ({ metadata }) => at(metadata, "uid") !== at(before, "metadata", "uid"),
    );
    const service = await place.read(place.primary);
    assert.equal(at(service, "spec", "clusterIP"), at(before, "spec", "clusterIP"));
    await place.eventually("the slice is its own", place.slice, ({ metadata }) => {
      const owners = objectsIn(at(metadata, "ownerReferences"));
      return owners.length === 1 && owners[0]?.uid === at(service, "metadata", "uid");
    });
    await place.untilPublished(primary);

    // Both at once, as the garbage collector does.
    const term = at(await place.read(place.slice), "metadata", "annotations", "patroni-injector.io/term");
    await place.remove(place.primary);
    await place.remove(place.slice);
    await place.untilPublished(primary);
    assert.equal(at(await place.read(place.primary), "spec", "clusterIP"), at(before, "spec", "clusterIP"));
    assert.equal(
      at(await place.read(place.slice), "metadata", "annotations", "patroni-injector.io/term"),
      term,
    );
    const note = String(
      at(await place.read(place.role), "metadata", "annotations", "patroni-injector.io/kept"),
    );
    assert.equal(JSON.parse(note).annotations["patroni-injector.io/term"], term);
  });

  it("waits while a Service is taken over until nothing else leads to it", async (t) => {
    const mirrored = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: "pg-primary-m1",
        labels: {
          "kubernetes.io/service-name": "pg-primary",
          "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
        },
      },
      addressType: "IPv6",
      endpoints: [{ addresses: ["fd00::dead"] }],
      ports: [],
    };
    const { place, primary } = await cluster(t, 1, async (there) => {
      await there.create(there.services, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "pg-primary", annotations: { "patroni-injector.io/take-over": "true" } },
        spec: { ports: [{ name: "db", port: 5432, targetPort: 5432 }] },
      });
      await there.create(there.core("endpoints"), {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { name: "pg-primary" },
      });
      await there.create(there.slices, mirrored);
    });
    const endpoints = `${place.core("endpoints")}/pg-primary`;
    await place.eventually(
      "the Endpoints object is put aside",
      endpoints,
      ({ metadata }) => at(metadata, "labels", "endpointslice.kubernetes.io/skip-mirror") === "true",
    );
    await delay(500);
    assert.equal(await place.read(place.slice), undefined);
    await place.remove(`${place.slices}/pg-primary-m1`); // as the mirroring controller does
    await place.untilPublished(primary);
    const service = await place.read(place.primary);
    assert.deepEqual(ours(service), [], "a Service that a user made is never written");
  });

  it("is kept through conflicts: two controllers, and somebody else who writes all the time", async (t) => {
    const { place, members, primary } = await cluster(t, 2);
    await place.untilPublished(primary);
    controlled.controller();
    let runs = true;
    let written = 0;
    const rival = (async () => {
      while (runs) {
        await place.change(place.slice, { metadata: { annotations: { "example/beat": String(written++) } } });
        await delay(10);
      }
    })();
    let mostAtOnce = 0;
    const watcher = (async () => {
      while (runs) {
        const slice = await place.read(place.slice);
        mostAtOnce = Math.max(mostAtOnce, slice === undefined ? 0 : publishedAddresses(slice).length);
      }
    })();
    const [first, second] = members as [ScriptedMember, ScriptedMember];
    first.answer = REPLICA;
    second.answer = PRIMARY;
    await place.untilPublished(second);
    await place.change(place.slice, { ports: [{ name: "other", port: 1, protocol: "TCP" }] });
    await place.eventually(
      "the port is mended",
      place.slice,
      ({ ports }) => objectsIn(ports)[0]?.name === "tcp-postgres",
    );
    runs = false;
    await Promise.all([rival, watcher]);
    assert.equal(mostAtOnce, 1);
    const conflicts = (await controlled.asked(place.namespace)).filter(({ code }) => code === 409);
    t.diagnostic(`${written} writes of the other, ${conflicts.length} conflicts`);
  });
});

/** From the change to where all is right again, milliseconds. */
async function repaired(
  path: string,
  is: (object: JsonObject | undefined) => boolean,
  place: Place,
): Promise<number> {
  const began = performance.now();
  await eventually("it is repaired", async () => is(await place.read(path)));
  return performance.now() - began;
}

describe("what is tampered with is repaired within five seconds:", { concurrency: false }, () => {
  const LIMIT_MS = 5000;
  const isRight = (primary: ScriptedMember) => (slice: JsonObject | undefined) =>
    slice !== undefined &&
    publishedAddresses(slice).join() === addressOf(primary) &&
    at(slice, "metadata", "labels", "kubernetes.io/service-name") === "pg-primary";
  const KINDS: Readonly<Record<string, (place: Place) => Promise<unknown>>> = {
    "the address": (place) =>
      place.change(place.slice, {
        endpoints: [
          {
            addresses: ["fd00::bad"],
            targetRef: { kind: "Pod", name: "pg-0", namespace: place.namespace, uid: "none" },
          },
        ],
      }),
    "the address, without a reference": (place) =>
      place.change(place.slice, { endpoints: [{ addresses: ["fd00::bad"] }] }),
    "a label": (place) =>
      place.change(place.slice, { metadata: { labels: { "kubernetes.io/service-name": null } } }),
    "the slice, deleted": (place) => place.remove(place.slice),
  };
  for (const [what, tamper] of Object.entries(KINDS)) {
    it(what, async (t) => {
      const { place, primary } = await cluster(t);
      await place.untilPublished(primary);
      await delay(200);
      await tamper(place);
      const took = await repaired(place.slice, isRight(primary), place);
      t.diagnostic(`${what}: repaired in ${Math.round(took)} ms`);
      assert.ok(took < LIMIT_MS, `${took} ms`);
    });
  }

  it("the Service, deleted", async (t) => {
    const { place, primary } = await cluster(t);
    await place.untilPublished(primary);
    const before = at(await place.read(place.primary), "metadata", "uid");
    await place.remove(place.primary);
    const began = performance.now();
    await repaired(
      place.primary,
      (service) => service !== undefined && at(service, "metadata", "uid") !== before,
      place,
    );
    const service = await place.read(place.primary);
    await repaired(
      place.slice,
      (slice) =>
        objectsIn(at(slice, "metadata", "ownerReferences"))[0]?.uid === at(service, "metadata", "uid"),
      place,
    );
    const took = performance.now() - began;
    t.diagnostic(`the Service, deleted: repaired in ${Math.round(took)} ms`);
    assert.ok(took < LIMIT_MS, `${took} ms`);
    await place.untilPublished(primary);
  });
});

it("and nothing of all this was forbidden", async () => {
  const forbidden = (await controlled.asked()).filter(({ code }) => code === 403);
  assert.deepEqual(forbidden, []);
});
