import { Readable } from "node:stream";
import { run } from "../../../src/audit/command.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import type { KubeConnection } from "../../../src/kube/connection.ts";
import { Sink } from "../../support/sink.ts";

const PLACES: Readonly<Record<string, readonly [prefix: string, plural: string]>> = {
  Namespace: ["/api/v1", "namespaces"],
  Pod: ["/api/v1", "pods"],
  StatefulSet: ["/apis/apps/v1", "statefulsets"],
  Service: ["/api/v1", "services"],
  ConfigMap: ["/api/v1", "configmaps"],
  EndpointSlice: ["/apis/discovery.k8s.io/v1", "endpointslices"],
  NetworkPolicy: ["/apis/networking.k8s.io/v1", "networkpolicies"],
  MutatingWebhookConfiguration: ["/apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations"],
};

/** Puts objects into an API server. */
export async function keep(connection: KubeConnection, objects: readonly JsonObject[]): Promise<void> {
  for (const object of objects) {
    const [prefix, plural] = PLACES[String(object.kind)] ?? [];
    const namespace = at(object, "metadata", "namespace");
    const inside = namespace === undefined ? "" : `/namespaces/${String(namespace)}`;
    const path = `${prefix}${inside}/${plural}`;
    await connection.send({ method: "POST", path, body: object });
    if (object.status === undefined) continue;
    await connection.send({
      method: "PATCH",
      path: `${path}/${String(at(object, "metadata", "name"))}/status`,
      contentType: "application/merge-patch+json",
      body: { status: object.status },
    });
  }
}

/** Runs the command in this process. */
export async function audited(argv: readonly string[], stdoutIsTty = false) {
  const [stdout, stderr] = [Object.assign(new Sink(), { isTTY: stdoutIsTty }), new Sink()];
  const code = await run(argv, { stdin: Readable.from([]), stdout, stderr, env: {} });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
