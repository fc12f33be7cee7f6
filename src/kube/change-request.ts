import { FIELD_MANAGER } from "../contract/names.ts";
import { asObject, at } from "../json/value.ts";
import type { KubeRequest } from "./connection.ts";
import type { Change, Live } from "./webhook-configuration.ts";

/** The PATCH that makes a change, but for its place; undefined where nothing is to be sent. */
export function requestFor(
  change: Change,
  live: Live,
): Pick<KubeRequest, "contentType" | "body" | "query"> | undefined {
  const fieldManager = FIELD_MANAGER;
  switch (change.kind) {
    case "apply": {
      const query = { fieldManager, force: "true" };
      // Refused where somebody wrote since: the authority of another process may have come.
      const resourceVersion = at(live, "metadata", "resourceVersion");
      const metadata = {
        ...asObject(change.object.metadata),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      return { contentType: "application/apply-patch+yaml", query, body: { ...change.object, metadata } };
    }
    case "patch":
      return { contentType: "application/json-patch+json", query: { fieldManager }, body: change.operations };
    default:
      return undefined;
  }
}
