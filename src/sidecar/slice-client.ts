import { asString, at, type JsonObject } from "../json/value.ts";
import { type ReadReply, WRITE_TIMEOUT_MS, type WriteReply } from "../primary/round.ts";
import { writeReplyOf } from "../primary/writer.ts";
import type { ApiAnswer, KubeApi } from "./kube-api.ts";

const READ_TIMEOUT_MS = 2000;

/** An answer that refused, as an error that keeps what is needed to act on it. */
export class ApiProblem extends Error {
  readonly code: number;
  readonly retryAfterMs: number;

  constructor(what: string, { code, problem, retryAfterMs }: ApiAnswer) {
    super(`${what}: ${code === 0 ? "no answer" : code} (${problem})`);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The primary's EndpointSlice at the API server. */
export class SliceClient {
  readonly #api: KubeApi;
  readonly collection: string;
  readonly name: string;

  constructor(api: KubeApi, namespace: string, name: string) {
    this.#api = api;
    this.collection = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    this.name = name;
  }

  async read(): Promise<ReadReply> {
    const answer = await this.#api.send({ method: "GET", path: this.#path, timeoutMs: READ_TIMEOUT_MS });
    if (answer.code === 200) return { kind: "slice", slice: answer.body };
    if (answer.code === 404) return { kind: "absent" };
    return { kind: "failed", error: new ApiProblem("cannot read the slice", answer) };
  }

  async write(slice: JsonObject): Promise<WriteReply> {
    const answer = await this.#api.send({
      method: "PUT",
      path: this.#path,
      body: slice,
      timeoutMs: WRITE_TIMEOUT_MS,
    });
    return writeReplyOf(answer.code, new ApiProblem("cannot write the slice", answer));
  }

  get #path(): string {
    return `${this.collection}/${encodeURIComponent(this.name)}`;
  }
}

/** The resourceVersion of an object as read. */
export const versionOf = (object: JsonObject | undefined): string | undefined =>
  asString(at(object ?? null, "metadata", "resourceVersion"));
