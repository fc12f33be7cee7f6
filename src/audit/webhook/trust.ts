import { rootCertificates } from "node:tls";
import { certificatesIn } from "../../certificates/pem.ts";
import { refusal } from "../../certificates/verify.ts";
import type { JsonObject } from "../../json/value.ts";
import { trusteesIn } from "../../kube/webhook-configuration.ts";
import { NotSeen, need } from "../need.ts";
import type { Snapshot } from "../snapshot.ts";
import { targetOf } from "./target.ts";

/** Why API servers cannot trust an entry, or why that could not be looked at. */
export type Doubt = { readonly refused: string } | { readonly unseen: string };

/** Says it of an entry of a live configuration. Worked out once for each, whatever the number of clusters. */
export type Trust = (entry: JsonObject) => readonly Doubt[];

export function trustIn(snapshot: Snapshot): Trust {
  const known = new Map<JsonObject, readonly Doubt[]>();
  return (entry) => {
    const doubts = known.get(entry) ?? doubtsOf(entry, snapshot);
    known.set(entry, doubts);
    return doubts;
  };
}

function doubtsOf(entry: JsonObject, snapshot: Snapshot): readonly Doubt[] {
  const [trustee] = trusteesIn("caBundle", {}, { webhooks: [entry] });
  const target = targetOf(entry);
  if (trustee === undefined || target === undefined)
    return [{ refused: "its clientConfig names neither a Service nor a URL" }];
  const { bundlePem, serverName } = trustee;
  // Without a caBundle the API server trusts whom its machine trusts: public names may be served so, a Service's cannot.
  const isPublic = bundlePem === "" && target.kind === "url";
  if (bundlePem === "" && !isPublic) return [{ refused: "it has no caBundle" }];
  if (!isPublic && certificatesIn(bundlePem).length === 0)
    return [{ refused: "its caBundle holds no certificate that can be read" }];
  try {
    const shown = need(snapshot.shown(target));
    if (shown.length === 0) return [{ unseen: "what the webhook serves: nobody is ready there" }];
    return shown.flatMap(({ by, chain }): Doubt[] => {
      if ("unseen" in chain) return [{ unseen: `what the webhook serves: ${by}: ${chain.unseen}` }];
      const { pem, at } = chain.value;
      const why = refusal(pem, isPublic ? rootCertificates.join("\n") : bundlePem, serverName, at);
      if (why === undefined) return [];
      return isPublic
        ? [{ unseen: `whether the API server's machine trusts ${by} without a caBundle` }]
        : [{ refused: `what ${by} serves is refused: ${why}` }];
    });
  } catch (error) {
    if (!(error instanceof NotSeen)) throw error;
    return [{ unseen: `what the webhook serves: ${error.message}` }];
  }
}
