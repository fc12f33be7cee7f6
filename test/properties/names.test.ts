import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  clusterLabelValue,
  headlessServiceName,
  primaryServiceName,
} from "../../src/contract/cluster-names.ts";
import { scope } from "./arbitraries/names.ts";
import { runs } from "./runs.ts";

const SERVICE = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

const anyScope = fc.oneof(scope, fc.string({ minLength: 1, maxLength: 300, unit: "binary" }));

test("names from any scope are valid", () =>
  fc.assert(
    fc.property(anyScope, (its) => {
      assert.match(clusterLabelValue(its), LABEL_VALUE);
      assert.match(headlessServiceName(its), SERVICE);
      assert.match(primaryServiceName(its), SERVICE);
      assert.notEqual(headlessServiceName(its), primaryServiceName(its));
    }),
    runs(1000),
  ));

test("names from two scopes are two", () =>
  fc.assert(
    fc.property(anyScope, anyScope, (one, other) => {
      fc.pre(one !== other);
      assert.notEqual(headlessServiceName(one), headlessServiceName(other));
      assert.notEqual(clusterLabelValue(one), clusterLabelValue(other));
    }),
    runs(500),
  ));
