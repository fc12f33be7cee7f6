import { readFile } from "node:fs/promises";
import { RELOAD_AUDIENCE } from "../contract/reload.ts";
import { asString, at } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";
import type { Arguments } from "./arguments.ts";
import type { Member } from "./members.ts";

/** The least that the API server gives. Seconds. */
const TOKEN_SECONDS = 600;

/** The token that is shown to one pod: made anew for each, since a cluster may take longer than a token lives. */
export async function tokenFor(kube: Pick<KubeConnection, "send">, { token }: Arguments): Promise<string> {
  if ("file" in token) return (await readFile(token.file, "utf8")).trim();
  const answer = await kube.send({
    method: "POST",
    path: `/api/v1/namespaces/${token.namespace}/serviceaccounts/${token.account}/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { audiences: [RELOAD_AUDIENCE], expirationSeconds: TOKEN_SECONDS },
    },
  });
  const made = asString(at(answer, "status", "token"));
  if (made === undefined) throw new Error("the API server's answer to the TokenRequest holds no token");
  return made;
}

/** Who vouches for a pod's certificate. PEM. */
export async function authorityOf(
  kube: Pick<KubeConnection, "send">,
  { caFile, namespace }: Arguments,
  { name, tlsSecret }: Member,
): Promise<string> {
  if (tlsSecret === undefined)
    throw new Error(
      `pod ${name} has no volume with a certificate: it does not serve the reload API over TLS`,
    );
  if (caFile !== undefined) return readFile(caFile, "utf8");
  const path = `/api/v1/namespaces/${namespace}/secrets/${tlsSecret}`;
  const encoded = asString(at(await kube.send({ method: "GET", path }), "data", "ca.crt"));
  if (encoded === undefined)
    throw new Error(`Secret ${namespace}/${tlsSecret} holds no ca.crt: give --ca-file FILE`);
  return Buffer.from(encoded, "base64").toString("utf8");
}
