import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * Runs `work` while no other process of this machine runs work under the same name (at most 100 bytes).
 *
 * The lock is a socket in Linux's abstract namespace: the kernel frees it with its holder, however that dies,
 * so there is never a stale lock to recognise.
 */
export async function withLock<T>(name: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const path = `\0${name}`;
  let release = await tryAcquire(path);
  if (release === undefined) onWait();
  while (release === undefined) {
    await untilReleased(path);
    release = await tryAcquire(path);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/** Undefined where another process holds the lock. */
function tryAcquire(path: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const waiters = new Set<Socket>();
    const server = createServer((socket) => {
      waiters.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => waiters.delete(socket));
    });
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path }, () => {
      resolve(() => {
        server.close();
        for (const socket of waiters) socket.destroy();
      });
    });
  });
}

/** A connection to the holder lasts as long as the lock is held. */
async function untilReleased(path: string): Promise<void> {
  const socket = connect({ path });
  socket.on("error", () => {}); // refused or reset: the holder has gone, which `close` tells as well
  socket.resume();
  await once(socket, "close");
}
