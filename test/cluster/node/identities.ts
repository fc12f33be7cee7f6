import type { Authority } from "../authority.ts";
import { kubeconfigFor } from "../kubeconfig.ts";
import { type Run, runFile } from "../run.ts";
import { NODE_NAME } from "./addresses.ts";

/** As whom each program asks the API server. Kubernetes binds the rights of the `system:` names itself. */
const IDENTITIES = {
  coredns: { user: "system:coredns", groups: [] },
  "kube-controller-manager": { user: "system:kube-controller-manager", groups: [] },
  "kube-proxy": { user: "system:kube-proxy", groups: [] },
  "kube-scheduler": { user: "system:kube-scheduler", groups: [] },
  kubelet: { user: `system:node:${NODE_NAME}`, groups: ["system:nodes"] },
} as const;

export type ProgramName = keyof typeof IDENTITIES;

/** Paths of a kubeconfig for each program. */
export async function writeKubeconfigs(
  run: Run,
  authority: Authority,
  url: string,
): Promise<Record<ProgramName, string>> {
  const names = Object.keys(IDENTITIES) as ProgramName[];
  const entries = await Promise.all(
    names.map(async (name) => {
      const { user, groups } = IDENTITIES[name];
      const client = await authority.issueClient(user, groups);
      const text = kubeconfigFor(url, authority.certPem, client);
      return [name, await runFile(run, `${name}.kubeconfig`, text)] as const;
    }),
  );
  return Object.fromEntries(entries) as Record<ProgramName, string>;
}
