import { chmod, mkdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * A folder that changes as the kubelet's volumes do (atomic_writer.go): the files stand in a folder of their own, `..data` leads to it,
 * and the names beside it lead through `..data`. A change makes a new folder, renames a new link over the old one, and removes the
 * folder that it led to.
 */
export class MountedVolume {
  readonly folder: string;
  #files: Readonly<Record<string, string>> = {};
  #turn = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(folder: string, files: Readonly<Record<string, string>>): Promise<MountedVolume> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const volume = new MountedVolume(folder);
    await volume.swap(files);
    return volume;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Changes some files; null takes one away. */
  async change(changes: Readonly<Record<string, string | null>>): Promise<void> {
    const files = Object.entries({ ...this.#files, ...changes }).filter(([, text]) => text !== null);
    await this.swap(Object.fromEntries(files) as Record<string, string>);
  }

  /** Puts other files in the place of all that are there. */
  async swap(files: Readonly<Record<string, string>>): Promise<void> {
    const data = join(this.folder, "..data");
    const before = await readlink(data).catch(() => undefined);
    const next = `..${String(++this.#turn).padStart(6, "0")}`;
    await mkdir(join(this.folder, next), { mode: 0o755 });
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.folder, next, name), text);
      await chmod(join(this.folder, next, name), 0o644);
    }
    await symlink(next, `${data}_tmp`);
    await rename(`${data}_tmp`, data);
    for (const name of Object.keys(files)) {
      if (!(name in this.#files)) await symlink(join("..data", name), this.path(name));
    }
    for (const name of Object.keys(this.#files))
      if (!(name in files)) await rm(this.path(name), { force: true });
    this.#files = files;
    if (before !== undefined) await rm(join(this.folder, before), { recursive: true });
  }
}
