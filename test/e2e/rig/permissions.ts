import type { JsonObject } from "../../../src/json/value.ts";
import { at, objectsIn } from "../../../src/json/value.ts";
import type { Kubectl } from "./kubectl.ts";

/** What a ServiceAccount may do with a namespace's resources beyond what every ServiceAccount may. */
export async function grantedTo(kubectl: Kubectl, namespace: string, account: string): Promise<JsonObject[]> {
  const [own, everybodys] = await Promise.all([
    rulesOf(kubectl, namespace, account),
    rulesOf(kubectl, namespace, "nobody-granted-anything"),
  ]);
  const known = new Set(everybodys.map((rule) => JSON.stringify(rule)));
  return own.filter((rule) => !known.has(JSON.stringify(rule)));
}

async function rulesOf(kubectl: Kubectl, namespace: string, account: string): Promise<JsonObject[]> {
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectRulesReview",
    spec: { namespace },
  };
  const user = `system:serviceaccount:${namespace}:${account}`;
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  const as = [`--as=${user}`, ...groups.map((group) => `--as-group=${group}`)];
  const args = ["create", "--filename=-", "--validate=false", "--output=json", ...as];
  const answer = await kubectl.run(args, { input: JSON.stringify(review) });
  return objectsIn(at(JSON.parse(answer), "status", "resourceRules"));
}
