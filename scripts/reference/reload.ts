import {
  problemType,
  RELOAD_AUDIENCE,
  RELOAD_COMPONENTS,
  RELOAD_PROBLEMS,
  RELOAD_STATUS_PATH,
  type ReloadProblem,
  reloadPath,
} from "../../src/contract/reload.ts";
import { SIDECAR_METRICS } from "../../src/sidecar/metrics.ts";
import { code, page, table } from "./markdown.ts";

export function reloadPage(): string {
  const problems = Object.entries(RELOAD_PROBLEMS).map(([name, { status, means }]) => [
    code(problemType(name as ReloadProblem)),
    String(status),
    means,
  ]);
  const metrics = Object.entries(SIDECAR_METRICS)
    .filter(([name]) => /reload|reconnect|watched|version/.test(name))
    .map(([name, [kind, help]]) => [code(`patroni_injector_sidecar_${name}`), kind, help]);
  return page(
    "Reload API",
    "src/contract/reload.ts",
    `Served by the sidecar of a pod whose [annotations](annotations.md) ask for it; how to use it is told in [Reload a pod's configuration](../how-to/reload.md). The paths are ${RELOAD_COMPONENTS.map((name) => code(`POST ${reloadPath(name)}`)).join(", ")} and ${code(`GET ${RELOAD_STATUS_PATH}`)}; requests and answers are in [reload-openapi.json](reload-openapi.json). Callers show a ServiceAccount token for the audience ${code(RELOAD_AUDIENCE)}.`,
    `## Problems\n\n${table(["Type", "Status", "Meaning"], problems)}`,
    `## Metrics\n\nAt \`/metrics\` of the sidecar's own port.\n\n${table(["Metric", "Kind", "Meaning"], metrics)}`,
  );
}
