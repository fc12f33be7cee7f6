import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../../../src/json/value.ts";
import { type ContainerMemory, OTHER_FILES, PEAK_FILES, parseMemory } from "../analysis/memory.ts";
import type { Kubectl, PodRef } from "./kubectl.ts";

const NAMESPACE = "e2e-saboteur";
const POD: PodRef = { namespace: NAMESPACE, name: "saboteur" };

/**
 * Does to a pod's processes and network what nodes and networks do to them. It is a privileged pod in the node's process namespace,
 * so it works on any cluster that lets one run; every pod that it is asked about must be on its node.
 */
export class Saboteur {
  readonly #kubectl: Kubectl;

  private constructor(kubectl: Kubectl) {
    this.#kubectl = kubectl;
  }

  static async start(kubectl: Kubectl, image: string): Promise<Saboteur> {
    await kubectl.apply(podObjects(image));
    const ready = [
      "wait",
      "pod/saboteur",
      `--namespace=${NAMESPACE}`,
      "--for=condition=Ready",
      "--timeout=120s",
    ];
    await kubectl.run(ready, { timeoutMs: 130_000 });
    return new Saboteur(kubectl);
  }

  /** Stops every process of the pod at once, as if its node had frozen; the network goes on to answer for it. */
  freeze = (podUid: string): Promise<void> => this.#signal("STOP", podUid);

  thaw = (podUid: string): Promise<void> => this.#signal("CONT", podUid);

  /** Holds the node's kubelet for a while: pods go on to run and nobody tends to them. */
  async holdKubelet(ms: number, meanwhile: () => Promise<void>): Promise<void> {
    // By a process of its own, after this call: without a kubelet no call comes back.
    const hold = `sleep 1; kill -STOP $pids; sleep ${ms / 1000}; kill -CONT $pids`;
    await this.#run(`${KUBELETS}; (${hold}) >/dev/null 2>&1 </dev/null &`);
    await delay(1_500);
    await Promise.all([meanwhile(), delay(ms)]);
  }

  /** Drops everything between the pod and these addresses (with a port: TCP to and from that port only), both ways. */
  async cut(
    podUid: string,
    addresses: readonly { readonly ip: string; readonly port?: number }[],
  ): Promise<void> {
    const rules = addresses.flatMap(({ ip, port }) => [
      `OUTPUT -d ${ip}${port === undefined ? "" : ` -p tcp --dport ${port}`} -j DROP`,
      `INPUT -s ${ip}${port === undefined ? "" : ` -p tcp --sport ${port}`} -j DROP`,
    ]);
    await this.#inNetwork(podUid, rules.map((rule) => `iptables -w -I ${rule}`).join(" && "));
  }

  /** Takes away every {@link cut}. */
  mend = (podUid: string): Promise<void> =>
    this.#inNetwork(podUid, "iptables -w -F INPUT && iptables -w -F OUTPUT");

  /** Kills every process of a container. `id`: the container runtime's. */
  kill = async (id: string): Promise<void> => {
    await this.#run(
      `kill -KILL $(find /sys/fs/cgroup -path '*${id}*' -name cgroup.procs -exec cat {} + | sort -un)`,
    );
  };

  /** What the control group of a container has charged. `id`: the container runtime's. */
  memoryOf = async (id: string): Promise<ContainerMemory> => parseMemory(await this.#run(memoryScript(id)));

  async #signal(signal: "STOP" | "CONT", podUid: string): Promise<void> {
    await this.#run(`${processesOf(podUid)}; [ -n "$pids" ] && kill -${signal} $pids`);
  }

  async #inNetwork(podUid: string, script: string): Promise<void> {
    await this.#run(`${processesOf(podUid)}; nsenter --target "\${pids%% *}" --net -- sh -ec '${script}'`);
  }

  async #run(script: string): Promise<string> {
    return this.#kubectl.exec(POD, ["sh", "-ec", script]);
  }
}

/** Sets `$pids` to the kubelets of this node's network: a machine may be several nodes. */
const KUBELETS = `pids=""
for pid in $(pgrep -x kubelet); do
  if [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/self/ns/net)" ]; then pids="$pids $pid"; fi
done`;

/** Sets `$pids`. The kubelet's cgroup of a pod has its UID in its name, with underscores under systemd. */
function processesOf(podUid: string): string {
  const pattern = podUid.replaceAll("-", "[-_]");
  // By cgroup.procs and not /proc/<pid>/cgroup, which shows a path that is relative to the reader's own cgroup namespace.
  return `pids=$(find /sys/fs/cgroup -path '*pod${pattern.replaceAll("[-_]", "?")}*' -name cgroup.procs -exec cat {} + | sort -un | tr '\\n' ' ')`;
}

/** Prints the files of a container's control group by which {@link parseMemory} knows its memory, in either version of cgroups. */
const memoryScript = (
  id: string,
): string => `cd "$(dirname "$(find /sys/fs/cgroup -path '*${id}*' \\( ${PEAK_FILES.map((name) => `-name ${name}`).join(" -o ")} \\) | head -n 1)")"
for file in ${[...PEAK_FILES, ...OTHER_FILES].join(" ")}; do if [ -e $file ]; then sed "s/^/$file /" $file; fi; done`;

function podObjects(image: string): JsonObject[] {
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: POD.name, namespace: NAMESPACE },
      spec: {
        hostPID: true,
        hostNetwork: true,
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsUser: 0, runAsGroup: 0 },
        containers: [
          {
            name: "saboteur",
            image,
            imagePullPolicy: "IfNotPresent",
            command: ["sleep", "infinity"],
            securityContext: { privileged: true },
            volumeMounts: [{ name: "cgroup", mountPath: "/sys/fs/cgroup" }],
          },
        ],
        volumes: [{ name: "cgroup", hostPath: { path: "/sys/fs/cgroup" } }],
      },
    },
  ];
}
