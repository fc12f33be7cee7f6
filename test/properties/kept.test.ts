import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { commaList } from "../../src/contract/syntax.ts";
import { asObject, type JsonObject, objectsIn } from "../../src/json/value.ts";
import { decideOn } from "../unit/injection/world.ts";
import { PATRONI_NAMES } from "./arbitraries/containers.ts";
import { type Scene, scene } from "./arbitraries/scenes.ts";
import { WRITTEN, withoutOurs } from "./oracles/without-ours.ts";
import { runs } from "./runs.ts";

interface Injection extends Scene {
  readonly planned: JsonObject;
  readonly reasons: readonly string[];
  /** The name of the container that runs Patroni. */
  readonly patroni: string;
}

const patroniOf = (pod: JsonObject): string =>
  String(
    objectsIn(asObject(pod.spec)?.containers).find(({ name }) => PATRONI_NAMES.includes(String(name)))?.name,
  );

function forEveryInjection(name: string, rule: (injection: Injection) => void): void {
  test(name, () =>
    fc.assert(
      fc.property(scene, (its) => {
        const decision = decideOn(its.pod, its.world);
        if (decision.kind !== "inject") return;
        const reasons = decision.notes.map(({ reason }) => reason);
        rule({ ...its, planned: decision.pod, reasons, patroni: patroniOf(its.pod) });
      }),
      runs(125),
    ),
  );
}

const annotationsOf = (pod: JsonObject) =>
  (asObject(asObject(pod.metadata)?.annotations) ?? {}) as Record<string, string>;
const specOf = (pod: JsonObject) => asObject(pod.spec) ?? {};
const envOf = (pod: JsonObject, name: string) =>
  objectsIn(objectsIn(specOf(pod).containers).find((container) => container.name === name)?.env);

const wantsGroup = (pod: JsonObject) => annotationsOf(pod)["patroni-injector.io/spilo-token"] === "fix";

describe("what the user set stays", () => {
  forEveryInjection("everywhere but in the places that injection names", ({ pod, planned, patroni }) => {
    const keepsGroup = !wantsGroup(pod);
    assert.deepEqual(withoutOurs(planned, patroni, keepsGroup), withoutOurs(pod, patroni, keepsGroup));
  });

  forEveryInjection(
    "at most one container's environment is written, and entries keep their order",
    ({ pod, planned, patroni }) => {
      for (const container of objectsIn(specOf(pod).containers)) {
        if (container.name === WRITTEN.container) continue;
        const [before, after] = [pod, planned].map((each) =>
          envOf(each, String(container.name)).map(({ name }) => name),
        );
        if (container.name !== patroni) assert.deepEqual(after, before);
        else {
          const theirs = (names: unknown[] = []) => names.filter((name) => name !== WRITTEN.podNameVariable);
          assert.deepEqual(theirs(after).slice(0, theirs(before).length), theirs(before));
        }
      }
    },
  );

  forEveryInjection("connect addresses of the user's", ({ pod, planned, patroni }) => {
    for (const name of WRITTEN.addressVariables) {
      const before = envOf(pod, patroni).filter((entry) => entry.name === name);
      const after = envOf(planned, patroni).filter((entry) => entry.name === name);
      const ours = (entry: JsonObject | undefined) =>
        String(entry?.value).includes(`$(${WRITTEN.podNameVariable})`);
      assert.equal(after.length >= before.length, true);
      for (const [index, entry] of before.entries()) if (!ours(entry)) assert.deepEqual(after[index], entry);
    }
  });

  forEveryInjection("configuration texts, but for the addresses", ({ pod, planned, patroni }) => {
    for (const name of WRITTEN.configurationVariables) {
      const before = envOf(pod, patroni).filter((entry) => entry.name === name);
      const after = envOf(planned, patroni).filter((entry) => entry.name === name);
      for (const [index, entry] of before.entries()) {
        const written = after[index] ?? assert.fail(`${name} is gone`);
        if (written === entry) continue;
        assert.deepEqual({ ...written, value: "" }, { ...entry, value: "" });
        assert.equal(index, before.length - 1, "the last of a name counts");
        assertKept(String(entry.value), String(written.value));
      }
    }
  });

  forEveryInjection("entries of the mesh's lists", ({ pod, planned }) => {
    for (const key of WRITTEN.mergedAnnotations) {
      const [before, after] = [pod, planned].map((each) => commaList(annotationsOf(each)[key] ?? ""));
      assert.deepEqual(after?.slice(0, before?.length), before);
    }
    const [before, after] = [pod, planned].map((each) => annotationsOf(each)[WRITTEN.thinnedAnnotation]);
    if (before === undefined || before.trim() === "*") assert.equal(after, before);
    else assert.ok(commaList(after ?? "").every((port) => commaList(before).includes(port)));
    const gone = commaList(before ?? "").filter(
      (port) => port !== "*" && !commaList(after ?? "").includes(port),
    );
    for (const port of gone) {
      assert.ok(
        commaList(annotationsOf(planned)["traffic.sidecar.istio.io/excludeInboundPorts"] ?? "").includes(
          port,
        ),
      );
    }
  });

  forEveryInjection("the hostname, but in a copy", ({ pod, planned, reasons }) => {
    const [before, after] = [specOf(pod).hostname, specOf(planned).hostname];
    if (!before || after === before) return;
    assert.ok(reasons.includes("copied-pod"));
    assert.equal(after, asObject(pod.metadata)?.name);
  });

  forEveryInjection(
    "a subdomain that is headless, that an address mentions, or that nobody knows",
    ({ pod, planned, patroni, world, reasons }) => {
      const [before, after] = [specOf(pod).subdomain, specOf(planned).subdomain] as (string | undefined)[];
      if (!before || after === before) return;
      assert.ok(!reasons.includes("subdomain-in-use") && !reasons.includes("headless-unusable"));
      const annotated = annotationsOf(pod)["patroni-injector.io/headless-service"];
      const service = world.services?.[before];
      const isHeadless = service !== undefined && service.headless !== false;
      assert.ok(after === annotated || !isHeadless);
      assert.ok(!new RegExp(`connect_address[^\\n]*\\.${before}[.:]`).test(configurationOf(pod, patroni)));
    },
  );

  forEveryInjection("the group, but where Spilo's token is to be fixed", ({ pod, planned }) => {
    const [before, after] = [pod, planned].map((each) => asObject(specOf(each).securityContext)?.fsGroup);
    if (after !== before) assert.deepEqual([after, wantsGroup(pod)], [103, true]);
  });
});

/** The text that counts: the last of its name, and an empty SPILO_CONFIGURATION still hides the other. */
function configurationOf(pod: JsonObject, patroni: string): string {
  const lasts = WRITTEN.configurationVariables.map((name) =>
    envOf(pod, patroni).findLast((entry) => entry.name === name),
  );
  return String(lasts.find((entry) => entry !== undefined)?.value);
}

/** Two configuration texts that differ in nothing but added connect addresses. */
function assertKept(before: string, after: string): void {
  const read = (text: string) => (text.trim() === "" ? {} : (parse(text, { version: "1.1" }) ?? {}));
  const [one, other] = [read(before), read(after)];
  for (const section of ["postgresql", "restapi"]) {
    if (one[section]?.connect_address === undefined && other[section] !== undefined) {
      delete other[section].connect_address;
      if (one[section] === undefined || one[section] === null) one[section] = {};
    }
  }
  assert.deepEqual({ postgresql: {}, restapi: {}, ...other }, { postgresql: {}, restapi: {}, ...one });
  if (before.startsWith("{")) JSON.parse(after);
}
