import { uninjectedFindings } from "../uninjected/uninjected.ts";
import { allSettings, type ClusterView, type Finding } from "../view.ts";
import { accessFindings } from "./access.ts";
import { headlessFindings } from "./headless-service.ts";
import { peerAuthenticationFindings } from "./peer-authentication.ts";

const COMMON = ["primaryService", "headlessService", "postgresPort"] as const;

/** What somebody should know of a cluster, as far as its objects tell it. */
export const findings = (view: ClusterView): Finding[] => [
  ...headlessFindings(view),
  ...accessFindings(view),
  ...peerAuthenticationFindings(view),
  ...differingSettings(view),
  ...uninjectedFindings(view),
];

function differingSettings(view: ClusterView): Finding[] {
  const odd = COMMON.filter((key) =>
    allSettings(view).some((settings) => settings[key] !== view.settings[key]),
  );
  return odd.length === 0 ? [] : [{ reason: "settings-differ", detail: odd.join(", ") }];
}
