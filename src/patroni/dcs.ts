import { asString, at, objectsIn } from "../json/value.ts";
import { askPatroni, type RestAnswer, type RestTarget } from "./rest.ts";

/** Whom the DCS names as leader, by a member's own `/cluster`, which reads the DCS; undefined where it does not say. Never rejects. */
export async function leaderBy(target: RestTarget): Promise<string | undefined> {
  const { code, body } = await answerOf(target, "/cluster");
  const leader = objectsIn(at(body, "members")).find(({ role }) => role === "leader");
  return code === 200 ? asString(leader?.name) : undefined;
}

/** The `ttl` in force, by `/config`. Milliseconds; undefined where it does not say. Never rejects. */
export async function ttlMsBy(target: RestTarget): Promise<number | undefined> {
  const ttl = at((await answerOf(target, "/config")).body, "ttl");
  return typeof ttl === "number" && ttl > 0 ? ttl * 1000 : undefined;
}

const answerOf = (target: RestTarget, path: string): Promise<RestAnswer> =>
  askPatroni(target, path).catch(() => ({ code: 0, body: undefined }));
