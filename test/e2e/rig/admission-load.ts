import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { asString, at, type JsonObject } from "../../../src/json/value.ts";
import { type Admission, parseAdmissions } from "../analysis/admissions.ts";
import { Kubectl, type PodRef, until } from "./kubectl.ts";
import type { Target } from "./target.ts";

const PROGRAM = join(import.meta.dirname, "../client/admissions.py");
const NAMESPACE = "e2e-admissions";
const NAME = "admissions";

/** Pods that are created all the time (`client/admissions.py`), in an opted-in namespace of their own. */
export class AdmissionLoad {
  readonly #kubectl: Kubectl;
  readonly #pod: PodRef = { namespace: NAMESPACE, name: NAME };

  private constructor(kubectl: Kubectl) {
    this.#kubectl = kubectl;
  }

  /** Starts, and waits until `count` pods were injected: the API server has seen the webhook by then. */
  static async start({ access, images }: Target, count = 10): Promise<AdmissionLoad> {
    const load = new AdmissionLoad(new Kubectl(access));
    await load.#kubectl.apply(objects(images.patroni, await readFile(PROGRAM, "utf8")));
    await until(`${count} pods were injected`, 120_000, async () => {
      const injected = (await load.admissions()).filter(({ outcome }) => outcome === "injected");
      return injected.length >= count || undefined;
    });
    return load;
  }

  async admissions(): Promise<Admission[]> {
    const log = await this.#kubectl.run(["logs", `--namespace=${NAMESPACE}`, NAME]);
    return parseAdmissions(log.slice(0, log.lastIndexOf("\n") + 1));
  }

  /** Ends it and gives all that became of the pods. */
  async stop(): Promise<Admission[]> {
    await this.#kubectl.exec(this.#pod, ["sh", "-c", "kill -TERM 1"]);
    await until("the admissions client has ended", 60_000, async () => {
      const pod = await this.#kubectl.json(["get", "pod", NAME, `--namespace=${NAMESPACE}`]);
      const phase = asString(at(pod, "status", "phase"));
      return phase === "Succeeded" || phase === "Failed" ? phase : undefined;
    });
    return this.admissions();
  }

  async remove(): Promise<void> {
    await this.#kubectl.run(["delete", "namespace", NAMESPACE, "--wait=false"]);
  }
}

function objects(image: string, program: string): JsonObject[] {
  const metadata = { name: NAME, namespace: NAMESPACE };
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NAMESPACE, labels: { [NAMESPACE_LABEL]: "enabled" } },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata,
      rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["create", "delete"] }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: NAME },
      subjects: [{ kind: "ServiceAccount", name: NAME, namespace: NAMESPACE }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "admissions.py": program } },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata,
      spec: {
        serviceAccountName: NAME,
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "admissions",
            image,
            imagePullPolicy: "IfNotPresent",
            command: ["/opt/patroni/bin/python", "-u", "/client/admissions.py", NAMESPACE, image],
            volumeMounts: [{ name: "client", mountPath: "/client" }],
          },
        ],
        volumes: [{ name: "client", configMap: { name: NAME } }],
      },
    },
  ];
}
