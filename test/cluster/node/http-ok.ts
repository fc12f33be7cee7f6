import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";

/** Whether a program of the node answers 200 on its loopback interface; rejects where it does not answer. */
export function httpOk(url: `${"http" | "https"}://127.0.0.1:${number}/${string}`): Promise<boolean> {
  const get = url.startsWith("https:") ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    // Nobody else is on this interface, and some programs make their certificate themselves.
    const request = get(url, { timeout: 1000, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}
