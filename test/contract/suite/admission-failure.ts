import assert from "node:assert/strict";
import type { JsonObject } from "../../../src/json/value.ts";
import { newAuthority } from "../../cluster/authority.ts";
import type { Cases, Context } from "./context.ts";
import { eventually } from "./eventually.ts";
import { pathOf, pod } from "./objects.ts";
import { ALLOW, patching, type Reply, startWebhook } from "./webhook.ts";

interface Failure {
  readonly reply: Reply;
  /** What is different in the entry. */
  readonly entry?: JsonObject;
  /** After `failed calling webhook "…": `. */
  readonly message: RegExp;
}

/** A failing call: passed over under `Ignore` and said so in the audit log, an internal error under `Fail`. */
async function fails(context: Context, name: string, { reply, entry = {}, message }: Failure): Promise<void> {
  const webhook = await startWebhook(context, () => reply);
  const attempt = async (failurePolicy: "Ignore" | "Fail") => {
    const configuration = `${name}-${failurePolicy.toLowerCase()}`;
    const unreachable = entry.clientConfig === undefined ? undefined : () => isFelt(context);
    await webhook.register(configuration, { failurePolicy, ...entry }, unreachable);
    const answer = await context.request("POST", pathOf(context, "pods"), pod(configuration));
    await context.must(200, "DELETE", webhook.configurationPath(configuration));
    return { ...answer, webhook: `${configuration}.example.test` };
  };

  const ignored = await attempt("Ignore");
  assert.equal(ignored.status, 201, JSON.stringify(ignored.body));
  const audit = await context.server.auditOf(context.namespace, `${name}-ignore`);
  assert.equal(audit["failed-open.mutation.webhook.admission.k8s.io/round_0_index_0"], ignored.webhook);
  await eventually("nothing fails any more", async () => !(await isFelt(context)));

  const refused = await attempt("Fail");
  const { message: said, details, ...fields } = refused.body as JsonObject;
  assert.deepEqual(fields, { ...INTERNAL_ERROR, status: "Failure" }, JSON.stringify(refused.body));
  const [, cause = ""] = /^Internal error occurred: (.*)$/s.exec(String(said)) ?? [];
  assert.deepEqual(details, { causes: [{ message: cause }] });
  const before = `failed calling webhook "${refused.webhook}": `;
  assert.ok(cause.startsWith(before), cause);
  assert.match(cause.slice(before.length), message);
}

const INTERNAL_ERROR = {
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  reason: "InternalError",
  code: 500,
};

/** Whether a webhook fails that cannot be reached: the creation of a pod is refused, or said to have failed open. */
async function isFelt(context: Context): Promise<boolean> {
  const { status } = await context.request("POST", `${pathOf(context, "pods")}?dryRun=All`, pod("probe"));
  const audit = await context.server.auditOf(context.namespace, "probe");
  return status !== 201 || Object.keys(audit).some((key) => key.startsWith("failed-open."));
}

const failing =
  (name: string, failure: Failure) =>
  (context: Context): Promise<void> =>
    fails(context, name, failure);

const INVALID = "received invalid webhook response: ";

export const ADMISSION_FAILURE: Cases = {
  "another uid": failing("uid", {
    reply: { response: { uid: "other", allowed: true } },
    message: new RegExp(`^${INVALID}expected response\\.uid="[0-9a-f-]{36}", got "other"$`),
  }),
  "no response": failing("empty", {
    reply: { body: '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}' },
    message: new RegExp(`^${INVALID}webhook response was absent$`),
  }),
  "a patch without its type": failing("typeless", {
    reply: { response: { allowed: true, patch: "W10=" } },
    message: new RegExp(`^${INVALID}webhook returned response\\.patch but not response\\.patchType$`),
  }),
  "a type without a patch": failing("patchless", {
    reply: { response: { allowed: true, patchType: "JSONPatch" } },
    message: new RegExp(`^${INVALID}webhook returned response\\.patchType but not response\\.patch$`),
  }),
  "a patch that is none": failing("list", {
    reply: { response: { allowed: true, patchType: "JSONPatch", patch: "e30=" } },
    message: /^received undecodable patch in webhook response: /,
  }),
  "a patch of another type": failing("merge", {
    reply: { response: { ...patching({ op: "remove", path: "/spec" }).response, patchType: "Merge" } },
    message: /Merge/,
  }),
  "no JSON": failing("html", {
    reply: { body: "<html>" },
    message: /^failed to call webhook: /,
  }),
  "status 500": failing("broken", {
    reply: { status: 500, body: "oops", headers: { "content-type": "text/plain" } },
    message:
      /^failed to call webhook: an error on the server \("oops"\) has prevented the request from succeeding$/,
  }),
  "status 404": failing("lost", {
    reply: { status: 404, body: "" },
    message: /^failed to call webhook: the server could not find the requested resource$/,
  }),
  "status 429 without Retry-After": failing("busy", {
    reply: { status: 429, body: "" },
    message:
      /^failed to call webhook: the server has received too many requests and has asked us to try again later$/,
  }),
  "nobody listens": failing("nobody", {
    reply: ALLOW,
    entry: { clientConfig: { url: "https://127.0.0.1:1/x" } },
    message:
      /^failed to call webhook: Post "https:\/\/127\.0\.0\.1:1\/x\?timeout=5s": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
  }),
  "an answer that comes too late": failing("late", {
    reply: { ...ALLOW, delayMs: 1300 },
    entry: { timeoutSeconds: 1 },
    message: /^failed to call webhook: Post "https:.*\?timeout=1s": context deadline exceeded$/,
  }),
  "an authority that is not trusted": async (context) => {
    const other = Buffer.from((await newAuthority("another")).certPem).toString("base64");
    const webhook = await startWebhook(context, () => ALLOW);
    const clientConfig = { url: webhook.url("untrusted"), caBundle: other };
    await fails(context, "untrusted", {
      reply: ALLOW,
      entry: { clientConfig },
      message:
        /^failed to call webhook: Post "https:.*\?timeout=5s": tls: failed to verify certificate: x509: certificate signed by unknown authority/,
    });
  },
};
