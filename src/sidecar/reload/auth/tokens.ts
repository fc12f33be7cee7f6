import type { IncomingMessage } from "node:http";
import { RELOAD_AUDIENCE } from "../../../contract/reload.ts";
import { allowed } from "../../../contract/reload-env.ts";
import { messageOf } from "../outcome.ts";
import type { Issuer, IssuerKeys } from "./issuer.ts";
import type { Verdict } from "./verdict.ts";

/** What API servers sign with (kube-apiserver's --service-account-signing-key-file); never a shared secret, never `none`. */
const ALGORITHMS = ["RS256", "ES256", "ES384", "ES512"];

/** Clocks of two machines may differ by this. Seconds. */
const TOLERANCE_S = 5;

const LONGEST_TOKEN = 8192;

/**
 * Admits ServiceAccounts on the allow-list, by tokens of this cluster for our audience. A token of a deleted ServiceAccount or pod is
 * valid until it expires: the signature tells of nothing later than its making.
 *
 * @param list `<namespace>/<name>` of ServiceAccounts, as the environment has them (contract/reload-env.ts)
 */
export function tokenAdmission(
  issuers: Pick<IssuerKeys, "get">,
  list: readonly string[],
  now: () => Date = () => new Date(),
): (request: Pick<IncomingMessage, "headers">) => Promise<Verdict> {
  const callers = new Map(list.map(allowed).map((entry) => [subjectNamed(entry.account), entry]));
  return async ({ headers }) => {
    const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
    if (token === undefined) return refused("unauthenticated", "there is no bearer token");
    if (token.length > LONGEST_TOKEN) return refused("unauthenticated", "the token is too long");
    let subject: string;
    try {
      subject = await subjectOf(token, issuers, now());
    } catch (error) {
      return refused("unauthenticated", messageOf(error));
    }
    const caller = callers.get(subject);
    if (caller === undefined) return refused("forbidden", `${subject} is not on this pod's allow-list`);
    const { account, onlyLooks } = caller;
    return { kind: "admitted", caller: account, ...(onlyLooks ? { onlyLooks } : {}) };
  };
}

async function subjectOf(token: string, issuers: Pick<IssuerKeys, "get">, now: Date): Promise<string> {
  // Only here: it costs 5 MB, and a pod that nobody calls does not need it.
  const { createLocalJWKSet, errors, jwtVerify } = await import("jose");
  const verify = async ({ keys, name }: Issuer): Promise<string> => {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      issuer: name,
      audience: RELOAD_AUDIENCE,
      algorithms: ALGORITHMS,
      clockTolerance: TOLERANCE_S,
      currentDate: now,
      requiredClaims: ["exp", "sub"],
    });
    return payload.sub ?? "";
  };
  const issuer = await issuers.get();
  try {
    return await verify(issuer);
  } catch (error) {
    // The keys were rotated, or the same name is another key now.
    const mayBeNew =
      error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
    if (!mayBeNew) throw error;
    const renewed = await issuers.get(true);
    if (renewed === issuer) throw error;
    return verify(renewed);
  }
}

const subjectNamed = (account: string): string => `system:serviceaccount:${account.replace("/", ":")}`;

const refused = (problem: "unauthenticated" | "forbidden", why: string): Verdict => ({
  kind: "refused",
  problem,
  why,
});
