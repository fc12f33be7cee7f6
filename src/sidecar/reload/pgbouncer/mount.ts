import { posix } from "node:path";
import { readMounted } from "../versions/volume.ts";

/**
 * Finds PgBouncer's files in the sidecar's own mount of their volume: PgBouncer tells where it has its pgbouncer.ini, and what lies
 * below that folder lies below the folder of the same file here.
 *
 * @param theirs the path of pgbouncer.ini as PgBouncer was told it (`conffile`)
 * @param ours its path here
 * @returns the path here; undefined where a path leads elsewhere, or begins at a folder that is not known
 */
export function mountedPath(theirs: string, ours: string): (path: string) => string | undefined {
  const [top, isAbsolute] = [posix.dirname(posix.normalize(theirs)), posix.isAbsolute(theirs)];
  const isSameFile = posix.basename(theirs) === posix.basename(ours);
  return (path) => {
    // A relative path begins at the folder that PgBouncer was started in, and not at that of the file.
    if (!isSameFile || posix.isAbsolute(path) !== isAbsolute) return undefined;
    const below = posix.relative(top, posix.normalize(path));
    return below.startsWith("..") ? undefined : posix.join(posix.dirname(ours), below);
  };
}

/** The text of PgBouncer's file; undefined where it is not seen here, which says nothing of what PgBouncer sees. */
export async function readSeen(
  path: string,
  mounted: (path: string) => string | undefined,
): Promise<string | undefined> {
  const here = mounted(path);
  return here === undefined ? undefined : readMounted(here).catch(() => undefined);
}
