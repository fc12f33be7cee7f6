import { access } from "../desired/access.ts";
import type { Desired } from "../desired/object.ts";
import type { ClusterView } from "../view.ts";
import { type SliceMemory, withNote } from "./memory.ts";

/** What the sidecars may do, and what their slice says: kept where it outlives both the slice and this process. */
export const notedAccess = (view: ClusterView, memory: SliceMemory): Desired[] =>
  access(view).map((each) =>
    each.resource === "roles" ? { ...each, object: withNote(each.object, memory) } : each,
  );
