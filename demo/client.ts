import { Agent, request } from "node:https";
import type { JsonObject } from "../src/json/value.ts";

/** An answer of the API server. */
export interface ApiAnswer {
  readonly code: number;
  readonly body: JsonObject;
  /** The texts of its `Warning` headers. */
  readonly warnings: readonly string[];
}

/** Talks to the API server as kubectl would, with as little as the demo needs. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(url: string, caPem: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#agent = new Agent({ ca: caPem, keepAlive: true });
  }

  /** Creates an object. @param query for example `dryRun=All` */
  create(collection: string, object: JsonObject, query = ""): Promise<ApiAnswer> {
    return this.#send("POST", query === "" ? collection : `${collection}?${query}`, object);
  }

  /** Replaces an object, whatever its resourceVersion. */
  replace(path: string, object: JsonObject): Promise<ApiAnswer> {
    return this.#send("PUT", path, object);
  }

  /** Deletes an object at once. */
  remove(path: string): Promise<ApiAnswer> {
    return this.#send("DELETE", path, { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 });
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body: JsonObject): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${this.#token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
      };
      const call = request(`${this.#url}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let answer = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          answer += chunk;
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            code: response.statusCode ?? 0,
            body: JSON.parse(answer) as JsonObject,
            warnings: warningsIn(response.headers.warning),
          }),
        );
      });
      call.on("error", reject);
      call.end(text);
    });
  }
}

/** RFC 7234: `299 - "text"`, several joined by commas. */
function warningsIn(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(", ") : (header ?? "");
  return [...text.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted = ""]) =>
    quoted.replace(/\\(.)/g, "$1"),
  );
}
