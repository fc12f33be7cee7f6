import { SIDECAR_CONTAINER } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";

/** A volume that is there for the sidecar, and where it is mounted. */
export interface OwnVolume {
  readonly volume: JsonObject;
  readonly mount: JsonObject;
}

/** 0644, the API's own default. */
export const FILE_MODE = 420;

/** A Secret that an annotation names: optional, so that a missing one never holds the pod back. */
export function secretVolume(purpose: string, secretName: string, mountPath: string): OwnVolume {
  const name = `${SIDECAR_CONTAINER}-${purpose}`;
  return {
    volume: { name, secret: { secretName, defaultMode: FILE_MODE, optional: true } },
    mount: { name, mountPath, readOnly: true },
  };
}
