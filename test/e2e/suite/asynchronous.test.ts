import { describe } from "node:test";
import { FORMS } from "../rig/deploy.ts";
import { describeFaults, describeNewAddress } from "./faults.ts";
import { describeOpening } from "./opening.ts";
import { extent, selectedFaults } from "./selection.ts";
import { setStage } from "./stage.ts";

const faults = selectedFaults({
  quick: [],
  usual: ["delete-grace-0", "freeze", "cut-both"],
});

describe("Patroni with its lock in a ConfigMap, asynchronous", () => {
  const { deployed, saboteur } = setStage(FORMS.asynchronous);
  describeOpening(deployed);
  describe("comes through", () => {
    describeFaults(faults, deployed, saboteur);
    if (extent !== "quick") describeNewAddress(deployed);
  });
});
