import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { command, ImageError } from "./command.ts";

const MISSING = "buildah makes the images (Debian package: buildah)";
/** What this machine trusts, for downloads during a build: `RUN` finds the bundle there. */
const TRUST = ["--volume", "/etc/ssl/certs:/run/trust:ro"];

/** Builds images without a daemon, a registry or a container runtime, in a store of its own. */
export class Buildah {
  readonly #store: readonly string[];
  readonly #folder: string;

  constructor(cache: string) {
    this.#folder = join(cache, "images");
    const folders = ["--root", join(this.#folder, "store"), "--runroot", join(this.#folder, "run")];
    this.#store = [...folders, "--storage-driver", "overlay"];
  }

  async has(image: string): Promise<boolean> {
    try {
      await this.#run(["inspect", "--type", "image", image]);
      return true;
    } catch (error) {
      if (error instanceof ImageError && error.cause === undefined) return false;
      throw error;
    }
  }

  /** Builds a folder with its Dockerfile. `--pull-never`: a base that is not there is an error, not a download. */
  async build(
    image: string,
    dockerfile: string,
    context: string,
    args: Readonly<Record<string, string>>,
  ): Promise<void> {
    const given = Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    const how = ["--isolation", "chroot", "--pull-never", "--format", "oci", ...TRUST];
    await this.#run(["bud", ...how, ...given, "--tag", image, "--file", dockerfile, context]);
  }

  /** Takes an image out of the store; the layers that others stand on stay. */
  async remove(image: string): Promise<void> {
    if (await this.has(image)) await this.#run(["rmi", image]);
  }

  /** Writes an archive that carries the name `reference`. */
  async write(image: string, archive: string, reference: string): Promise<void> {
    await this.#run(["push", image, `oci-archive:${archive}:${reference}`]);
  }

  async #run(args: readonly string[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await command("buildah", [...this.#store, ...args], { missing: MISSING });
  }
}
