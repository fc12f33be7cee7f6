import type { AuditContext, AuditGround } from "./check.ts";
import type { AuditedCluster } from "./clusters.ts";
import { dcsOf } from "./dcs.ts";
import { terrainOf } from "./network/terrain.ts";
import { once } from "./once.ts";
import { viewOf } from "./view.ts";
import { trustIn } from "./webhook/trust.ts";

/** Where everything is looked at. */
export const groundOf = (ground: Omit<AuditGround, "terrain" | "trust">): AuditGround => ({
  ...ground,
  terrain: terrainOf(ground.snapshot),
  trust: trustIn(ground.snapshot),
});

/** What the checks of one cluster are given: what several of them need is worked out once. */
export const contextOf = (cluster: AuditedCluster, ground: AuditGround): AuditContext => ({
  ...ground,
  dcs: dcsOf(cluster, ground.snapshot),
  view: once(() => viewOf(cluster, ground)),
});
