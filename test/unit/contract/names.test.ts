import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLUSTER_LABEL,
  HEADLESS_SUFFIX,
  NAMESPACE_LABEL,
  POD_NAME_ENV,
  PRIMARY_SUFFIX,
  SIDECAR_CONTAINER,
  TOKEN_VOLUME,
  WEBHOOK_CONFIGURATION,
} from "../../../src/contract/names.ts";
import * as ports from "../../../src/contract/ports.ts";
import { isDnsLabel } from "../../../src/contract/syntax.ts";

test("the webhook configuration is called before Istio's, in byte order of the names", () => {
  for (const other of [
    "istio-sidecar-injector",
    "istio-revision-tag-default",
    "istio-sidecar-injector-canary",
  ]) {
    assert.ok(Buffer.compare(Buffer.from(WEBHOOK_CONFIGURATION), Buffer.from(other)) < 0);
  }
});

test("names of containers and volumes are DNS labels, suffixes leave room for a name", () => {
  for (const name of [SIDECAR_CONTAINER, TOKEN_VOLUME]) assert.ok(isDnsLabel(name));
  for (const suffix of [HEADLESS_SUFFIX, PRIMARY_SUFFIX]) assert.match(suffix, /^-[a-z]{1,20}$/);
});

test("labels are qualified names, the variable is a name that $(…) takes", () => {
  for (const label of [NAMESPACE_LABEL, CLUSTER_LABEL]) assert.match(label, /^patroni-injector\.io\/[a-z]+$/);
  assert.match(POD_NAME_ENV, /^[A-Z][A-Z_]*$/);
});

test("no two listeners share a port", () => {
  const all = Object.values(ports);
  assert.equal(new Set(all).size, all.length);
  for (const port of all) assert.ok(Number.isInteger(port) && port > 0 && port < 65536);
});
