// Asks what a user needs to know: are all parts ready, and is a review of a Patroni pod answered?
import { request } from "node:https";

const [ready, webhook] = process.argv.slice(1);
const say = (...words) => process.stdout.write(`${words.join(" ")}\n`);

const answer = await fetch(ready, { signal: AbortSignal.timeout(10_000) });
say(ready, answer.status, await answer.text());
if (answer.status !== 200) process.exit(1);

const metadata = { name: "chart-test-0", namespace: "default", labels: { application: "patroni" } };
const env = [{ name: "PATRONI_SCOPE", value: "chart-test" }];
const object = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { ...metadata, annotations: { "patroni-injector.io/container": "main" } },
  spec: { hostname: "chart-test-0", containers: [{ name: "main", image: "patroni", env }] },
};
const review = {
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "chart-test",
    operation: "CREATE",
    dryRun: true,
    kind: { group: "", version: "v1", kind: "Pod" },
    resource: { group: "", version: "v1", resource: "pods" },
    namespace: "default",
    name: metadata.name,
    userInfo: {},
    object,
  },
};
// Whether the certificate is trusted is the API server's to say, and part of what was ready above.
const outgoing = request(
  webhook,
  { method: "POST", rejectUnauthorized: false, timeout: 10_000 },
  async (incoming) => {
    const { response } = JSON.parse((await incoming.toArray()).join(""));
    say(webhook, incoming.statusCode, JSON.stringify(response.auditAnnotations));
    process.exit(response.allowed ? 0 : 1);
  },
);
outgoing.on("error", (error) => {
  say(String(error));
  process.exit(1);
});
outgoing.setHeader("Content-Type", "application/json");
outgoing.end(JSON.stringify(review));
