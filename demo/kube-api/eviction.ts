import { asObject, at, type JsonObject } from "../../src/json/value.ts";
import { remove } from "./remove.ts";
import * as status from "./status.ts";
import type { Backend, WriteRequest } from "./write.ts";

/**
 * Deletes a pod by its subresource `eviction` (policy/v1). Disruption budgets are not imitated: an ordered fault answers 429 in the
 * place of one.
 *
 * @throws StatusError
 */
export async function evict(
  backend: Backend,
  request: WriteRequest,
  eviction: JsonObject,
): Promise<status.Status> {
  const { target } = request;
  const name = at(eviction, "metadata", "name");
  if (name !== undefined && name !== target.name)
    throw status.badRequest("name in URL does not match name in Eviction object");
  const options = asObject(eviction.deleteOptions) ?? {};
  await remove(
    backend,
    { ...request, options, target: { ...target, verb: "delete", subresource: "" } },
    options,
  );
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
}
