import { readingOf, type VersionReading, type VersionSource } from "./source.ts";
import { readMounted, watchFolderOf } from "./volume.ts";

/** A file with nothing but the version: beside the configuration in its volume, or made of a pod's annotation by the downward API. */
export class FileVersions implements VersionSource {
  readonly pollMs = 1000;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(): Promise<VersionReading> {
    try {
      return readingOf(await readMounted(this.#path), this.#path);
    } catch (error) {
      return { kind: "none", why: (error as Error).message };
    }
  }

  watch(onChange: () => void): () => void {
    return watchFolderOf(this.#path, onChange);
  }
}
