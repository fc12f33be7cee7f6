import { describe } from "node:test";
import { FORMS } from "../rig/deploy.ts";
import { describeFaults } from "./faults.ts";
import { describeOpening } from "./opening.ts";
import { faultsNamed } from "./selection.ts";
import { setStage } from "./stage.ts";

describe("Patroni with its lock in Endpoints, synchronous", () => {
  const { deployed, saboteur } = setStage(FORMS.endpoints);
  describeOpening(deployed);
  describe("comes through", () =>
    describeFaults(faultsNamed("switchover", "delete-grace-0", "freeze"), deployed, saboteur));
});
