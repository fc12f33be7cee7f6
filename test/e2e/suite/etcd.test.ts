import { describe } from "node:test";
import { FORMS } from "../rig/deploy.ts";
import { describeFaults } from "./faults.ts";
import { describeOpening } from "./opening.ts";
import { selectedFaults } from "./selection.ts";
import { setStage } from "./stage.ts";

const faults = selectedFaults({
  quick: ["switchover"],
  usual: ["switchover", "delete-grace-0", "cut-dcs"],
});

describe("Patroni with etcd as its DCS, synchronous", () => {
  const { deployed, saboteur } = setStage(FORMS.etcd);
  describeOpening(deployed);
  describe("comes through", () => describeFaults(faults, deployed, saboteur));
});
