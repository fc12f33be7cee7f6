import type { SecretData } from "../../certificates/secrets.ts";
import { KEEPS_LABEL } from "../../contract/names.ts";
import { asString, type JsonObject } from "../../json/value.ts";
import { isForbidden } from "../../kube/error.ts";
import { dataOf, textsIn } from "../../kube/secret-data.ts";
import { labelOf } from "../facts/slim.ts";
import type { Objects } from "../objects.ts";

export interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
}

/** A Secret as it was read. */
export interface FoundSecret {
  readonly object: JsonObject;
  readonly data: SecretData;
  /** It was made for us to fill; any other is somebody's own. */
  readonly ours: boolean;
}

/** Which Secrets are ever written: of a plain type, too, for others mean something to somebody else (tokens, image pulls). */
const TYPES = ["Opaque", "kubernetes.io/tls"];

/**
 * @param keeps the value of {@link KEEPS_LABEL} that makes it ours
 * @throws Error in words for a user where there is none, or it may not be read
 */
export async function readSecret(
  objects: Pick<Objects, "read">,
  { namespace, name }: SecretPlace,
  keeps: string,
): Promise<FoundSecret> {
  const object = await objects.read("secrets", namespace, name).catch((error: unknown) => {
    throw isForbidden(error) ? mayNot({ namespace, name }, error) : error;
  });
  if (object === undefined) throw new Error(`Secret ${namespace}/${name} does not exist`);
  const ours = labelOf(object, KEEPS_LABEL) === keeps && TYPES.includes(asString(object.type) ?? "");
  return { object, data: textsIn(object.data), ours };
}

/** Replaces the Secret as it was read, which must be ours; its other keys, labels and annotations stay. */
export async function writeSecret(
  objects: Pick<Objects, "replace">,
  place: SecretPlace,
  { object }: FoundSecret,
  data: SecretData,
): Promise<void> {
  const next = { ...object, data: dataOf(data) };
  await objects.replace("secrets", next).catch((error: unknown) => {
    throw isForbidden(error) ? mayNot(place, error) : error;
  });
}

const mayNot = ({ namespace, name }: SecretPlace, cause: unknown): Error =>
  new Error(`Secret ${namespace}/${name} may not be kept: the controller needs "get" and "update" on it`, {
    cause,
  });
