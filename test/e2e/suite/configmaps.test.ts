import { describe } from "node:test";
import { FAULTS } from "../faults/faults.ts";
import { FORMS } from "../rig/deploy.ts";
import { describeAudit } from "./auditing.ts";
import { describeFaults, describeSwitchovers } from "./faults.ts";
import { describeOpening } from "./opening.ts";
import { extent, selectedFaults } from "./selection.ts";
import { setStage } from "./stage.ts";

const faults = selectedFaults({
  quick: ["switchover", "kill-postgres", "delete-grace-0", "freeze"],
  usual: FAULTS.map(({ name }) => name),
});

describe("Patroni with its lock in a ConfigMap, synchronous", () => {
  const { deployed, saboteur } = setStage(FORMS.configmaps);
  describeOpening(deployed);
  describeAudit(deployed);
  describe("comes through", () => {
    describeFaults(faults, deployed, saboteur);
    describeSwitchovers({ quick: 3, usual: 10, all: 30 }[extent], deployed);
  });
});
