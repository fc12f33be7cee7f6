import type { Json, JsonObject } from "../../src/json/value.ts";

/** `metadata` of an object whose shape has been checked by decode.ts; fields not named here are kept as they are. */
export interface Metadata extends JsonObject {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

/** Any Kubernetes object. Once handed to the store it is immutable: change a `structuredClone`. */
export interface KubeObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec?: Json;
  status?: Json;
}

/** Who sends a request, as in `AdmissionReview.request.userInfo`. */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
}
