/** Bytes of bodies that are kept at once: some 300 large pods, and a small part of what the process may use. */
const ROOM = 32 * 1024 * 1024;

/** One body's share. */
export interface Share {
  /** @returns false where there is no room for that: the body must be dropped */
  add(bytes: number): boolean;
  /** The body is whole, and nobody takes its room away from now on. */
  keep(): void;
  /** The body is gone. */
  leave(): void;
}

/**
 * The memory for bodies that are being received or wait for their turn. Where it is used up, the body that has been coming for the
 * longest time makes room: an API server sends one within milliseconds, so the oldest is one of somebody who only pretends to.
 */
export class Room {
  readonly #limit: number;
  /** Bodies that are not whole yet, the oldest first, each with how to drop it. */
  readonly #coming = new Map<Share, () => void>();
  #taken = 0;

  constructor(limit = ROOM) {
    this.#limit = limit;
  }

  /** Bytes. */
  get taken(): number {
    return this.#taken;
  }

  /** @param drop makes somebody else room: must call `leave` */
  enter(drop: () => void): Share {
    let own = 0;
    const share: Share = {
      add: (bytes) => {
        own += bytes;
        this.#taken += bytes;
        while (this.#taken > this.#limit) {
          const [oldest] = this.#coming;
          if (oldest === undefined || oldest[0] === share) return false;
          oldest[1]();
        }
        return true;
      },
      keep: () => void this.#coming.delete(share),
      leave: () => {
        this.#coming.delete(share);
        this.#taken -= own;
        own = 0;
      },
    };
    this.#coming.set(share, drop);
    return share;
  }
}
