import assert from "node:assert/strict";
import { beforeEach, it } from "node:test";
import { Watched } from "../../../src/controller/watched.ts";

interface Fact {
  readonly name: string;
  readonly group: string;
}

let changes: string[][] = [];
let watched: Watched<Fact>;
beforeEach(() => {
  changes = [];
  watched = new Watched<Fact>(
    ({ metadata, group }) =>
      typeof group === "string" ? { name: (metadata as { name: string }).name, group } : undefined,
    ({ group }) => [group],
    (indexes) => void changes.push([...indexes].sort()),
  );
});

const object = (name: string, group?: string) => ({
  metadata: { namespace: "db", name },
  ...(group && { group }),
});
const names = (group: string) => watched.find(group).map(({ name }) => name);

it("finds objects by name and by what they are indexed by", () => {
  watched.replace(
    [object("a", "x"), object("b", "x"), object("c", "y"), object("d")].map((each) => watched.reduce(each)),
  );
  assert.deepEqual(names("x"), ["a", "b"]);
  assert.equal(watched.get("db", "c")?.group, "y");
  assert.equal(watched.get("db", "d"), undefined);
  assert.deepEqual([...watched.indexes()], ["x", "y"]);
});

it("tells of a change by the old index and the new one", () => {
  watched.take(object("a", "x"));
  watched.take(object("a", "y"));
  watched.apply("DELETED", object("a", "y"));
  assert.deepEqual(changes, [["x"], ["x", "y"], ["y"]]);
  assert.deepEqual([...watched.indexes()], []);
});

it("tells nothing where nothing is new", () => {
  watched.take(object("a", "x"));
  watched.apply("MODIFIED", object("a", "x"));
  watched.apply("BOOKMARK", object("b", "x"));
  assert.equal(changes.length, 1);
});

it("tells what a new list no longer holds", () => {
  watched.take(object("a", "x"));
  watched.replace([watched.reduce(object("b", "y"))]);
  assert.deepEqual(changes.at(-1), ["x", "y"]);
  assert.deepEqual(names("x"), []);
});

it("a list of one namespace says nothing of the others", () => {
  const elsewhere = { metadata: { namespace: "shop", name: "e" }, group: "x" };
  const [db, shop] = [watched.within("db"), watched.within("shop")];
  db.replace([db.reduce(object("a", "x"))]);
  shop.replace([shop.reduce(elsewhere)]);
  db.replace([db.reduce(object("b", "y"))]);
  assert.equal(watched.get("db", "a"), undefined);
  assert.equal(watched.get("db", "b")?.group, "y");
  assert.equal(watched.get("shop", "e")?.group, "x");
  watched.within("").replace([]);
  assert.equal(watched.size, 0);
});
