import type { Json } from "../../json/value.ts";
import type { Style } from "./print.ts";
import type { Slot } from "./slots.ts";
import type { Edit } from "./text.ts";

/** One round of edits to a text. The functions for block and flow collections work with it and not with each other. */
export interface Editor {
  readonly text: string;
  readonly lineBreak: string;
  readonly style: Style;
  push(edit: Edit): void;
  /** Turns what is in the slot from one value into another, as deep down as possible. */
  change(slot: Slot, before: Json, after: Json): void;
  /** Writes the whole slot anew. */
  replace(slot: Slot, after: Json): void;
}
