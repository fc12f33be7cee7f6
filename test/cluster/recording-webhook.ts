import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { at, type JsonObject } from "../../src/json/value.ts";
import type { Authority } from "./authority.ts";

/** One call of a webhook. */
export interface WebhookCall {
  /** Without the query, in which the API server sends its timeout. */
  readonly path: string;
  /** The `request` of the AdmissionReview. */
  readonly request: JsonObject;
}

export interface RecordingWebhook {
  /** For `clientConfig` of a webhook entry. */
  clientConfig(path: string): { url: string; caBundle: string };
  readonly calls: readonly WebhookCall[];
  stop(): Promise<void>;
}

/** An admission webhook on loopback that allows everything, changes nothing, and remembers who called. */
export async function startRecordingWebhook(
  authority: Authority,
  auditAnnotations: Readonly<Record<string, string>> = {},
): Promise<RecordingWebhook> {
  const { certPem, keyPem } = await authority.issueServer(["127.0.0.1"]);
  const calls: WebhookCall[] = [];
  const server = createServer({ cert: certPem, key: keyPem }, async (incoming, outgoing) => {
    const request = at(await json(incoming), "request") as JsonObject;
    const { pathname } = new URL(incoming.url ?? "/", "https://127.0.0.1");
    calls.push({ path: pathname, request });
    const response = { uid: request.uid, allowed: true, auditAnnotations };
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    clientConfig: (path) => ({
      url: `https://127.0.0.1:${port}${path}`,
      caBundle: Buffer.from(authority.certPem).toString("base64"),
    }),
    calls,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
