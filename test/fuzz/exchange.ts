import { connect } from "node:tls";

/** What came back for bytes that were sent over TLS. */
export interface Reply {
  /** The statuses of all answers, in order, `100 Continue` included. */
  readonly statuses: readonly number[];
  /** How often a review was answered. */
  readonly reviews: number;
  /** Whether the server closed the connection, within the time. */
  readonly closed: boolean;
}

/**
 * Sends bytes over a connection of their own, and gives what came back until it is closed, is enough, or for as long as we wait.
 *
 * @param isEnough told of the reply so far, whenever something has come
 */
export function exchange(
  port: number,
  bytes: string | Buffer,
  waitMs: number,
  isEnough: (reply: Reply) => boolean = () => false,
): Promise<Reply> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const soFar = (closed: boolean): Reply => {
      const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
      return { statuses, reviews: text.split('"uid":').length - 1, closed };
    };
    const reply = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(soFar(closed));
    };
    const timer = setTimeout(() => reply(false), waitMs);
    socket.on(
      "secureConnect",
      () => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes),
    );
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (isEnough(soFar(false))) reply(false);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => reply(true));
  });
}
