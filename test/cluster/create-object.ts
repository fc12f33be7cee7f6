import type { ApiRequest } from "./api-client.ts";

/**
 * Posts one object to a collection.
 *
 * @throws Error with the API server's answer, where it is not 201
 */
export async function createObject(
  request: ApiRequest,
  path: string,
  object: Parameters<ApiRequest>[2],
): Promise<void> {
  const { status, body } = await request("POST", path, object);
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
}
