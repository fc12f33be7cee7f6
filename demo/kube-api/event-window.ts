/** Anything that happened at a revision. */
interface Revised {
  readonly revision: number;
}

/** The newest events of one resource, oldest first, in a ring of fixed size. */
export class EventWindow<Event extends Revised> {
  readonly #ring: Event[] = [];
  readonly #capacity: number;
  #oldest = 0;
  #forgotten = 0;

  /** @param capacity events kept, at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(event: Event): void {
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(event);
      return;
    }
    this.#forgotten = this.#at(0).revision;
    this.#ring[this.#oldest] = event;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  /** Every event after a revision, oldest first; undefined where some of them are forgotten already. */
  after(revision: number): Event[] | undefined {
    if (revision < this.#forgotten) return undefined;
    const events: Event[] = [];
    for (let index = this.#ring.length - 1; index >= 0; index--) {
      const event = this.#at(index);
      if (event.revision <= revision) break;
      events.push(event);
    }
    return events.reverse();
  }

  /** Forgets everything, as a compaction of etcd does. @param revision of now */
  forget(revision: number): void {
    this.#ring.length = 0;
    this.#oldest = 0;
    this.#forgotten = revision;
  }

  #at(index: number): Event {
    return this.#ring[(this.#oldest + index) % this.#ring.length] as Event;
  }
}
