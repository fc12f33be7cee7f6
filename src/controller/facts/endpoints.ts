import { SKIP_MIRROR_LABEL } from "../../contract/slice-annotations.ts";
import { asString, at, type JsonObject } from "../../json/value.ts";
import { type LeaderFacts, leaderFacts } from "./leader.ts";

/** What is kept of an Endpoints object; Patroni keeps its leader lock in one, in Endpoints mode. */
export interface EndpointsFacts extends LeaderFacts {
  readonly uid: string;
  readonly resourceVersion: string;
  /** It is not mirrored into an EndpointSlice. */
  readonly skipMirror: boolean;
}

export const endpointsFacts = (object: JsonObject): EndpointsFacts => ({
  ...leaderFacts(object),
  uid: asString(at(object, "metadata", "uid")) ?? "",
  resourceVersion: asString(at(object, "metadata", "resourceVersion")) ?? "",
  skipMirror: at(object, "metadata", "labels", SKIP_MIRROR_LABEL) === "true",
});
