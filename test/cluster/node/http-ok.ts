import { get } from "node:http";

/** Whether a program of the node answers 200 on its loopback interface; rejects where it does not answer. */
export function httpOk(port: number, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = get({ host: "127.0.0.1", port, path, timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy(new Error("timeout")));
    request.on("error", reject);
  });
}
