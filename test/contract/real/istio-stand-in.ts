import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ControlPlane } from "../../cluster/control-plane.ts";

/** A webhook that stands where Istio's injector would, and does to a pod what matters to another injector. */
export interface IstioStandIn {
  /** By pod name: what the annotation `excludeInboundPorts` said when the webhook was called. */
  readonly excludedPortsSeen: ReadonlyMap<string, string | undefined>;
  /** Ends the server and removes its configuration. */
  stop(): Promise<void>;
}

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const NAME = "istio-sidecar-injector";
const EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts";

const PROXY = { name: "istio-proxy", image: "registry.example/istio/proxyv2:1.30", restartPolicy: "Always" };

/** What is rewritten, and the end of the path that it is rewritten to. */
const PROBES = { readinessProbe: "readyz", livenessProbe: "livez", startupProbe: "startupz" };

/** Registers it for the pods of one namespace, as Istio does: reinvocationPolicy Never, failurePolicy Fail. */
export async function startIstioStandIn(plane: ControlPlane, namespace: string): Promise<IstioStandIn> {
  const { certPem, keyPem } = await plane.authority.issueServer(["127.0.0.1"]);
  const excludedPortsSeen = new Map<string, string | undefined>();
  const server = createServer({ cert: certPem, key: keyPem }, async (incoming, outgoing) => {
    const { uid, object } = at(await json(incoming), "request") as JsonObject;
    const name = String(at(object, "metadata", "name"));
    excludedPortsSeen.set(name, asString(at(object, "metadata", "annotations", EXCLUDED)));
    const patch = Buffer.from(JSON.stringify(changesTo(object as JsonObject))).toString("base64");
    const response = { uid, allowed: true, patchType: "JSONPatch", patch };
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { status, body } = await plane.api.request("POST", CONFIGURATIONS, {
    metadata: { name: NAME },
    webhooks: [
      {
        name: "rev.namespace.sidecar-injector.istio.io",
        clientConfig: {
          url: `https://127.0.0.1:${port}/inject`,
          caBundle: Buffer.from(plane.authority.certPem).toString("base64"),
        },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        reinvocationPolicy: "Never",
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  });
  if (status !== 201) throw new Error(`${NAME}: ${status} ${JSON.stringify(body)}`);
  return {
    excludedPortsSeen,
    async stop() {
      await plane.api.request("DELETE", `${CONFIGURATIONS}/${NAME}`);
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The proxy as a native sidecar before all others, and every HTTP probe sent through it, ours too. */
function changesTo(pod: JsonObject): JsonObject[] {
  const initContainers = objectsIn(at(pod, "spec", "initContainers"));
  const rewritten = ["initContainers", "containers"].flatMap((list) =>
    objectsIn(at(pod, "spec", list)).flatMap((container, index) =>
      Object.entries(PROBES).flatMap(([probe, end]) => {
        if (at(container, probe, "httpGet") === undefined) return [];
        const value = { path: `/app-health/${container.name}/${end}`, port: 15_020 };
        return [{ op: "replace", path: `/spec/${list}/${index}/${probe}/httpGet`, value }];
      }),
    ),
  );
  const added =
    initContainers.length === 0
      ? { op: "add", path: "/spec/initContainers", value: [PROXY] }
      : { op: "add", path: "/spec/initContainers/0", value: PROXY };
  return [...rewritten, added];
}
