import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  memoryOf,
  noteOf,
  noteOn,
  recall,
  type SliceMemory,
  withNote,
} from "../../../../src/controller/slice/memory.ts";
import type { ClusterView } from "../../../../src/controller/view.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { ownService, ownSlice, service, viewOf } from "../views.ts";

const TERM = "patroni-injector.io/term";
const memory = (term: string | undefined, slice = "pg-primary"): SliceMemory => ({
  slice,
  annotations: {
    ...(term === undefined ? {} : { [TERM]: term }),
    "patroni-injector.io/cluster-ip": "10.96.0.9",
  },
});
const role = (note: SliceMemory | undefined): JsonObject => {
  const bare = { metadata: { name: "patroni-injector.pg.pg" } };
  return note === undefined ? bare : withNote(bare, note);
};

interface Row {
  readonly what: string;
  readonly seen?: SliceMemory;
  readonly view?: Partial<ClusterView>;
  readonly term: string | undefined;
}

const ROWS: readonly Row[] = [
  { what: "a cluster that is seen for the first time", term: undefined },
  { what: "a user's Service, and nothing of ours", view: { primaryService: service() }, term: undefined },
  { what: "what was seen last", seen: memory("7/3"), term: "7/3" },
  { what: "what is noted, after a restart", view: { roles: [role(memory("7/3"))] }, term: "7/3" },
  {
    what: "a note that nobody has been published yet",
    view: { roles: [role(memory(undefined))] },
    term: undefined,
  },
  {
    what: "a note that lags behind",
    seen: memory("7/4"),
    view: { roles: [role(memory("7/3"))] },
    term: "7/4",
  },
  {
    what: "another process's note of what came later",
    seen: memory("7/3"),
    view: { roles: [role(memory("7/4"))] },
    term: "7/4",
  },
  {
    what: "notes of which one lags behind",
    view: { roles: [role(memory("7/3")), role(memory("7/4"))] },
    term: "7/4",
  },
  {
    what: "a note without a term beside one with it",
    view: { roles: [role(memory(undefined)), role(memory("7/4"))] },
    term: "7/4",
  },
  {
    what: "notes of two systems",
    view: { roles: [role(memory("7/3")), role(memory("8/1"))] },
    term: "unknown",
  },
  {
    what: "a note of the cluster's under another name",
    view: { roles: [role(memory("7/3", "pg-rw"))] },
    term: "7/3",
  },
  { what: "a Role whose note was taken away", view: { roles: [role(undefined)] }, term: "unknown" },
  {
    what: "a Role whose note cannot be read",
    view: { roles: [{ metadata: { annotations: { "patroni-injector.io/kept": "{" } } }] },
    term: "unknown",
  },
  { what: "our own Service, and no note", view: { primaryService: ownService() }, term: "unknown" },
];

describe("the term of a slice that is made, by", () => {
  for (const { what, seen, view = {}, term } of ROWS) {
    it(`${what}: ${term ?? "none"}`, () => {
      assert.equal(recall(viewOf(view), seen).annotations[TERM], term);
    });
  }
});

it("an address is not taken over to another Service", () => {
  const address = (note: SliceMemory) =>
    recall(viewOf({ roles: [role(note)] }), undefined).annotations["patroni-injector.io/cluster-ip"];
  assert.equal(address(memory("7/3")), "10.96.0.9");
  assert.equal(address(memory("7/3", "pg-rw")), undefined);
});

it("what a slice says is noted, and read back", () => {
  const texts = fc.dictionary(
    fc.stringMatching(/^patroni-injector\.io\/[a-z-]{1,9}$/),
    fc.string({ minLength: 1 }),
  );
  fc.assert(
    fc.property(texts, (annotations) => {
      const kept = memoryOf(ownSlice([], annotations));
      assert.deepEqual(noteOn(role(kept)), kept);
      const { "patroni-injector.io/attempt": _attempt, ...wanted } = annotations;
      assert.deepEqual({ ...kept.annotations, ...wanted }, kept.annotations);
    }),
  );
});

it("how often a write was tried, and in which order annotations came, makes no other note", () => {
  const one = ownSlice([], {
    "patroni-injector.io/attempt": "3",
    [TERM]: "7/1",
    "patroni-injector.io/last-pod": "a/b",
  });
  const other = ownSlice([], { "patroni-injector.io/last-pod": "a/b", [TERM]: "7/1" });
  assert.equal(noteOf(memoryOf(one)), noteOf(memoryOf(other)));
});
