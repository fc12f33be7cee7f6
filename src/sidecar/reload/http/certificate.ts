import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { pairProblem } from "../../../certificates/pem.ts";
import { watchFolderOf } from "../versions/volume.ts";

/** What the listener serves with. PEM. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Where no event comes: the folder may not even exist yet. Milliseconds. */
const POLL_MS = 10_000;

/**
 * Follows `tls.crt` and `tls.key` in a mounted Secret that may come late, or never, and is replaced in place.
 *
 * @param onCertificate told of each pair that belongs together
 * @param onProblem told of each that cannot be used; the one before it goes on to count
 * @returns ends it
 */
export function followCertificate(
  folder: string,
  onCertificate: (pair: KeyedCertificate) => void,
  onProblem: (problem: string) => void,
  pollMs = POLL_MS,
): () => void {
  let known = "";
  let stopped = false;
  let looking = false;
  let lookAgain = false;
  const take = (found: KeyedCertificate | string | undefined): void => {
    const key = typeof found === "string" ? found : JSON.stringify(found);
    if (stopped || found === undefined || key === known) return;
    known = key;
    if (typeof found === "string") onProblem(found);
    else onCertificate(found);
  };
  const look = async (): Promise<void> => {
    lookAgain = true;
    if (looking) return;
    looking = true;
    while (lookAgain && !stopped) {
      lookAgain = false;
      take(await read(folder));
    }
    looking = false;
  };
  const unwatch = watchFolderOf(join(folder, "tls.crt"), () => void look());
  const poll = setInterval(() => void look(), pollMs);
  void look();
  return () => {
    stopped = true;
    unwatch();
    clearInterval(poll);
  };
}

/** The pair, what is wrong with it, or undefined where there is none. */
async function read(folder: string): Promise<KeyedCertificate | string | undefined> {
  try {
    // Both of one turn of the kubelet's link: a certificate and the key of the next do not belong together.
    const here = await realpath(join(folder, "..data")).catch(() => folder);
    const [cert, key] = await Promise.all(
      ["tls.crt", "tls.key"].map((name) => readFile(join(here, name), "utf8")),
    );
    if (!cert || !key) return "tls.crt or tls.key is empty";
    return pairProblem(cert, key) ?? { cert, key };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? undefined : message;
  }
}
