import { randomBytes } from "node:crypto";
import type { UserInfo } from "./objects.ts";

interface Grant {
  readonly user: UserInfo;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Bearer tokens and who they stand for. */
export class Tokens {
  readonly #grants = new Map<string, Grant>();

  /**
   * @param username `system:serviceaccount:<namespace>:<name>` gets the groups of a ServiceAccount
   * @param lifetime milliseconds; without end where absent
   * @returns a new token
   */
  issue(username: string, lifetime = Number.POSITIVE_INFINITY): string {
    const token = randomBytes(24).toString("base64url");
    this.#grants.set(token, {
      user: { username, groups: groupsOf(username) },
      expires: Date.now() + lifetime,
    });
    return token;
  }

  /** From now on the token is refused. What is answered already goes on: watches stay, as on a real server. */
  expire(token: string): void {
    this.#grants.delete(token);
  }

  /** The same for every token of a user. */
  expireUser(username: string): void {
    for (const [token, { user }] of this.#grants) if (user.username === username) this.#grants.delete(token);
  }

  /** @param authorization the header of that name */
  authenticate(authorization: string | undefined): UserInfo | undefined {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
    const grant = token === undefined ? undefined : this.#grants.get(token);
    return grant !== undefined && Date.now() < grant.expires ? grant.user : undefined;
  }
}

function groupsOf(username: string): string[] {
  const [, namespace] = /^system:serviceaccount:([^:]+):[^:]+$/.exec(username) ?? [];
  const account =
    namespace === undefined ? [] : ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return [...account, "system:authenticated"];
}
