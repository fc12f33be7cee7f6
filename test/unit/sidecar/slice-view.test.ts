import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { SliceView } from "../../../src/sidecar/slice-view.ts";
import { config } from "./world.ts";

const slice = (version: string, addresses: readonly string[], addressType = "IPv4"): JsonObject => ({
  metadata: { resourceVersion: version },
  addressType,
  endpoints: addresses.map((address) => ({ addresses: [address] })),
});
const US = "10.0.0.1";

test("the address is of the slice's family, whatever the order of the pod's", () => {
  for (const addresses of [
    ["10.0.0.1", "fd00::1"],
    ["fd00::1", "10.0.0.1"],
  ]) {
    const view = new SliceView(config({ addresses }));
    assert.equal(view.pod?.address, addresses[0], "before the slice is known");
    view.take(slice("1", [], "IPv6"));
    assert.equal(view.pod?.address, "fd00::1");
    view.take(slice("2", [], "IPv4"));
    assert.equal(view.pod?.address, "10.0.0.1");
  }
});

test("a pod without an address of the family has none to publish", () => {
  const view = new SliceView(config({ addresses: ["10.0.0.1"] }));
  view.take(slice("1", [], "IPv6"));
  assert.equal(view.pod, undefined);
  assert.equal(view.showsUs, false);
});

test("what we wrote, or read, is no news when the watch tells it", () => {
  const view = new SliceView(config());
  view.take(slice("5", [US]));
  assert.equal(view.heard(slice("5", [US])), false);
  assert.equal(view.isUnproven, false);
  assert.equal(view.heard(slice("6", [])), true);
});

test("our address that somebody else puts there must be proven, once", () => {
  const view = new SliceView(config());
  view.take(slice("5", []));
  view.settled(0);
  assert.equal(view.isDue(1), false);
  assert.equal(view.heard(slice("6", [US])), true);
  assert.equal(view.isUnproven, true);
  assert.equal(view.isDue(1), true);
  view.heard(slice("7", [US]));
  assert.equal(view.isUnproven, true, "another change does not prove it");
  view.settled(1);
  assert.equal(view.isUnproven, false);
});

test("an own address that stands there at the start is adopted", () => {
  const view = new SliceView(config());
  view.heard(slice("5", [US]));
  assert.equal(view.showsUs, true);
  assert.equal(view.isUnproven, false);
});

test("a change beside our address needs no proof", () => {
  const view = new SliceView(config());
  view.take(slice("5", [US]));
  view.heard(slice("6", [US]));
  assert.equal(view.isUnproven, false);
});

test("it is read once a minute, jittered, and soon where the watch is interrupted", () => {
  const view = new SliceView(config());
  assert.equal(view.isDue(0), true, "not known yet");
  view.take(slice("5", [US]));
  view.settled(0);
  assert.equal(view.isDue(59_999), false);
  assert.equal(view.isDue(80_001), true);
  view.settled(100_000);
  view.interrupted(100_000);
  assert.equal(view.isDue(102_999), false);
  assert.equal(view.isDue(104_001), true);
});

test("a deleted slice shows nobody", () => {
  const view = new SliceView(config());
  view.take(slice("5", [US]));
  assert.equal(view.heard(undefined), true);
  assert.equal(view.showsUs, false);
  assert.equal(view.state, undefined);
});
