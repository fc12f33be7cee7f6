import { primarySliceName } from "../contract/slice-annotations.ts";
import type { JsonObject } from "../json/value.ts";
import { type ReadReply, WRITE_TIMEOUT_MS, type WriteReply } from "../primary/round.ts";
import { writeReplyOf } from "../primary/writer.ts";
import { type ApiObject, ApiProblem, objectPath } from "./api-object.ts";
import type { KubeApi } from "./kube-api.ts";

const READ_TIMEOUT_MS = 2000;

/** The primary's EndpointSlice of a Service. */
export const primarySlice = (namespace: string, service: string): ApiObject => ({
  prefix: "/apis/discovery.k8s.io/v1",
  resource: "endpointslices",
  namespace,
  name: primarySliceName(service),
});

/** Reads and writes one slice. Never rejects. */
export class SliceClient {
  readonly #api: KubeApi;
  readonly #slice: ApiObject;

  constructor(api: KubeApi, slice: ApiObject) {
    this.#api = api;
    this.#slice = slice;
  }

  async read(): Promise<ReadReply> {
    const path = objectPath(this.#slice);
    const answer = await this.#api.send({ method: "GET", path, timeoutMs: READ_TIMEOUT_MS });
    if (answer.code === 200) return { kind: "slice", slice: answer.body };
    if (answer.code === 404) return { kind: "absent" };
    return { kind: "failed", error: new ApiProblem("get", this.#slice, answer) };
  }

  /**
   * PUT, with the resourceVersion and uid that the slice carries.
   *
   * @param notAfter it is not sent when the monotonic clock is past this
   * @param stored told the slice as it was stored
   */
  async write(slice: JsonObject, notAfter: number, stored: (slice: JsonObject) => void): Promise<WriteReply> {
    const answer = await this.#api.send({
      method: "PUT",
      path: `${objectPath(this.#slice)}?fieldManager=patroni-injector-sidecar`,
      body: slice,
      timeoutMs: WRITE_TIMEOUT_MS,
      notAfter,
    });
    if (answer.expired) return { kind: "expired" };
    if (answer.code === 200) stored(answer.body);
    return writeReplyOf(answer.code, new ApiProblem("update", this.#slice, answer));
  }
}
