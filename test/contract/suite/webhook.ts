import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { at, type JsonObject } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";
import type { Context } from "./context.ts";
import { eventually } from "./eventually.ts";
import { pathOf, pod } from "./objects.ts";

/** One call of a webhook, as it came. */
export interface Call {
  /** The name of the configuration that sent it. */
  readonly configuration: string;
  /** With the query. */
  readonly path: string;
  readonly review: JsonObject & { readonly request: JsonObject };
}

/** What a webhook answers: the `response` beside its uid, or anything else there is to send. */
export interface Reply {
  readonly response?: JsonObject;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in place of a review. */
  readonly body?: string;
  /** Milliseconds before the answer. */
  readonly delayMs?: number;
}

export interface Webhook {
  /** Those about an object of that name, in the order in which they came. */
  callsFor(name: string): readonly Call[];
  /** Base64, for an entry's clientConfig. */
  readonly caBundle: string;
  url(configuration: string): string;
  configurationPath(configuration: string): string;
  /**
   * Creates a configuration with one entry, for the creation of pods in the case's namespace. It goes with the case.
   *
   * @param entry what is to be different in the entry
   */
  offer(configuration: string, entry?: JsonObject): Promise<ApiResponse>;
  /**
   * As `offer`, which must succeed; returns once the configuration is in force.
   *
   * @param inForce how to tell, where a pod of any kind does not lead to a call
   */
  register(configuration: string, entry?: JsonObject, inForce?: () => Promise<boolean>): Promise<void>;
}

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

export const ALLOW: Reply = { response: { allowed: true } };

/** Allows, with a JSON patch. */
export const patching = (...operations: JsonObject[]): Reply => ({
  response: {
    allowed: true,
    patchType: "JSONPatch",
    patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
  },
});

/** The name of the object, or what it is to be generated from. */
const nameIn = ({ review: { request } }: Call): string =>
  String(request.name ?? at(request.object, "metadata", "generateName"));

const PROBE = "probe";

/** A webhook that answers as the case says. The probe that looks whether it is in force is always allowed. */
export async function startWebhook(context: Context, reply: (call: Call) => Reply): Promise<Webhook> {
  const { serving, request, namespace } = context;
  const calls: Call[] = [];
  const server = createServer({ cert: serving.certPem, key: serving.keyPem }, async (incoming, outgoing) => {
    const review = (await json(incoming)) as Call["review"];
    const path = incoming.url ?? "";
    const call = { configuration: path.split(/[/?]/)[1] ?? "", path, review };
    calls.push(call);
    const {
      response,
      status = 200,
      headers = {},
      body,
      delayMs = 0,
    } = nameIn(call) === PROBE ? ALLOW : reply(call);
    await delay(delayMs);
    const { uid } = review.request;
    const answer = {
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      response: { uid, ...response },
    };
    outgoing.writeHead(status, { "content-type": "application/json", ...headers });
    outgoing.end(body ?? JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const caBundle = Buffer.from(serving.authorityPem).toString("base64");
  const url = (configuration: string) => `https://127.0.0.1:${port}/${configuration}`;

  const nameOf = (configuration: string) => `${namespace}-${configuration}`;
  const configurationPath = (configuration: string) => `${CONFIGURATIONS}/${nameOf(configuration)}`;

  const offer = (configuration: string, entry: JsonObject = {}) => {
    context.after(() => request("DELETE", configurationPath(configuration)));
    return request("POST", CONFIGURATIONS, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: nameOf(configuration) },
      webhooks: [
        {
          name: `${configuration}.example.test`,
          clientConfig: { url: url(configuration), caBundle },
          rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
          namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
          failurePolicy: "Fail",
          sideEffects: "None",
          admissionReviewVersions: ["v1"],
          timeoutSeconds: 5,
          ...entry,
        },
      ],
    });
  };

  return {
    callsFor: (name) => calls.filter((call) => nameIn(call) === name),
    caBundle,
    url,
    configurationPath,
    offer,
    async register(configuration, entry = {}, inForce) {
      const { status, body } = await offer(configuration, entry);
      assert.equal(status, 201, JSON.stringify(body));
      const isCalled = async () => {
        await request("POST", `${pathOf(context, "pods")}?dryRun=All`, pod(PROBE));
        return calls.some((call) => call.configuration === configuration);
      };
      await eventually(`${configuration} is in force`, inForce ?? isCalled);
    },
  };
}

/** The one call about an object. */
export function theCall(webhook: Webhook, name: string): Call {
  const calls = webhook.callsFor(name);
  assert.equal(calls.length, 1, `${name}: ${calls.length} calls`);
  return calls[0] as Call;
}
