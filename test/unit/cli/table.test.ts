import assert from "node:assert/strict";
import { it } from "node:test";
import { tableOf } from "../../../src/cli/table.ts";

it("makes columns as wide as what is in them, and ends no line with a blank", () =>
  assert.equal(
    tableOf(
      ["A", "LONG", "C"],
      [
        ["long", "b", ""],
        ["", "longest", "c"],
      ],
    ),
    "A     LONG     C\nlong  b\n      longest  c\n",
  ));

it("is its header where there are no rows", () => assert.equal(tableOf(["A", "B"], []), "A  B\n"));
