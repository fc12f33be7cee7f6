import type { Json, JsonObject } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";
import type { KeyedCertificate } from "../../cluster/authority.ts";
import type { ApiServerUnderTest } from "../api-server.ts";
import type { Difference } from "./differences.ts";

/** What a case works with. The namespace is its own. */
export interface Context {
  readonly server: ApiServerUnderTest;
  readonly namespace: string;
  /** With what the case's webhooks serve on 127.0.0.1. */
  readonly serving: KeyedCertificate & { readonly authorityPem: string };
  request(method: string, path: string, body?: Json, headers?: Record<string, string>): Promise<ApiResponse>;
  /** As `request`; the answer must have this status. @returns its body */
  must(status: number, method: string, path: string, body?: Json, type?: string): Promise<JsonObject>;
  /** What is to be expected where the embedded server is known not to do what the real one does. */
  differs<Value>(difference: Difference, expected: { readonly real: Value; readonly embedded: Value }): Value;
  /** Runs when the case is over. */
  after(end: () => unknown): void;
}

/** The same for both servers. */
export type Case = (context: Context) => Promise<void>;

/** Cases of one subject, by what they show. */
export type Cases = Readonly<Record<string, Case>>;

export const PATCH = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;
