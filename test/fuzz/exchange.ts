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

/** Sends bytes over a connection of their own, and gives what came back until it is closed, or for as long as we wait. */
export function exchange(port: number, bytes: string | Buffer, waitMs: number): Promise<Reply> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const reply = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
      resolve({ statuses, reviews: text.split('"uid":').length - 1, closed });
    };
    const timer = setTimeout(() => reply(false), waitMs);
    socket.on(
      "secureConnect",
      () => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes),
    );
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => reply(true));
  });
}
