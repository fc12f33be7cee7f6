import { describe } from "node:test";
import { FAULTS } from "../faults/faults.ts";
import { FORMS } from "../rig/deploy.ts";
import { describeFaults, describeNewAddress, describeSwitchovers } from "./faults.ts";
import { describeOpening } from "./opening.ts";
import { setStage } from "./stage.ts";

describe("Patroni with its lock in a ConfigMap, synchronous", () => {
  const { deployed, saboteur } = setStage(FORMS.configmaps);
  describeOpening(deployed);
  describe("comes through", () => {
    describeFaults(FAULTS, deployed, saboteur);
    describeNewAddress(deployed);
    describeSwitchovers(10, deployed);
  });
});
