import { memoryOf, recall, type SliceMemory, withNote } from "../../../src/controller/slice/memory.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { ownService, viewOf } from "../../unit/controller/views.ts";

const NAME = "pg-primary";

/** The controller as the keeper of the slice: what it remembers of it, in its process and noted on a Role. */
export class Keeper {
  #seen: SliceMemory | undefined;
  #role: JsonObject | undefined;

  /** A watch shows the slice, as it is or as it was when it was deleted. */
  sees(slice: JsonObject): void {
    this.#seen = memoryOf(named(slice));
  }

  /** Its note is written. */
  notes(slice: JsonObject): void {
    this.sees(slice);
    this.#role = withNote({ metadata: { name: "role" } }, memoryOf(named(slice)));
  }

  /** The process dies; another begins. */
  crash(): void {
    this.#seen = undefined;
  }

  /** Somebody deletes the Role. */
  loseNote(): void {
    this.#role = undefined;
  }

  /** The annotations of the slice that it would make now. */
  recalled(): Readonly<Record<string, string>> {
    const roles = this.#role === undefined ? [] : [this.#role];
    return recall(viewOf({ primaryService: ownService(), roles }), this.#seen).annotations;
  }
}

const named = (slice: JsonObject): JsonObject => ({
  ...slice,
  metadata: { ...(slice.metadata as JsonObject), name: NAME },
});
