import { execFile } from "node:child_process";
import { cp, rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureBinaries, type Log } from "../build.ts";
import { cacheFolder, planBuild } from "../build-plan.ts";
import { command } from "./command.ts";

/** How an image is made. One row an image; the Dockerfile is `<name>/Dockerfile` unless `project` is set. */
export interface Recipe {
  /** The name that pods use, without the tag. */
  readonly repository: string;
  /** Where the name must carry this tag; else the tag is the key of the image's inputs. */
  readonly tag?: string;
  /** Build arguments that name another image of the table. */
  readonly bases: Readonly<Record<string, ImageName>>;
  /** Built from the project's own Dockerfile, with the project as its context. */
  readonly project?: true;
  /** Files beside the Dockerfile that the image is made from. */
  readonly files: readonly string[];
  /** What else it is made from: versions, keys. */
  readonly inputs: () => Promise<readonly string[]>;
  /** Adds to the build context what is no file of this repository. */
  readonly prepare: (context: string, log: Log) => Promise<void>;
}

export type ImageName =
  | "debian"
  | "etcd"
  | "injector"
  | "node"
  | "patroni"
  | "pause"
  | "pgbouncer"
  | "runtime";

const SUITE = "bookworm";
const NPM = "npm@11.21.2";

export const PROJECT = join(import.meta.dirname, "../../..");
/** The Node that the project is pinned to, as `npm ci` installs it: it needs glibc and libstdc++ only. */
const NODE = join(PROJECT, "node_modules/node/bin/node");

const nothing = async (): Promise<readonly string[]> => [];
const noPreparation = async (): Promise<void> => {};

export const RECIPES: Readonly<Record<ImageName, Recipe>> = {
  debian: {
    repository: "localhost/patroni-injector-test/debian",
    bases: {},
    files: [],
    inputs: async () => [SUITE],
    prepare: (context) =>
      command("debootstrap", ["--variant=minbase", SUITE, context], {
        missing: "debootstrap makes the images' Debian (Debian package: debootstrap)",
      }),
  },
  pause: {
    repository: "registry.k8s.io/pause",
    tag: "3.10",
    bases: {},
    files: ["pause.c"],
    inputs: nothing,
    prepare: (context) =>
      command("cc", ["-static", "-Os", "-s", "-o", "pause", "pause.c"], {
        cwd: context,
        missing: "a C compiler makes the pause image (Debian packages: gcc, libc6-dev)",
      }),
  },
  etcd: {
    repository: "localhost/patroni-injector-test/etcd",
    bases: {},
    files: [],
    inputs: async () => [(await planBuild("etcd", cacheFolder())).binary],
    async prepare(context, log) {
      const { etcd } = await ensureBinaries(["etcd"], log);
      await cp(etcd, join(context, "etcd"));
    },
  },
  patroni: {
    repository: "localhost/patroni-injector-test/patroni",
    bases: { BASE: "debian" },
    files: ["requirements.txt"],
    inputs: nothing,
    prepare: noPreparation,
  },
  pgbouncer: {
    repository: "localhost/patroni-injector-test/pgbouncer",
    bases: { BASE: "debian" },
    files: [],
    inputs: nothing,
    prepare: noPreparation,
  },
  node: {
    repository: "localhost/patroni-injector-test/node",
    bases: { BASE: "debian" },
    files: [],
    inputs: async () => [NPM, (await promisify(execFile)(NODE, ["--version"])).stdout],
    async prepare(context) {
      await cp(NODE, join(context, "node"));
      await command("npm", ["pack", "--silent", NPM], { cwd: context });
      await command("tar", ["-xzf", `${NPM.replace("@", "-")}.tgz`], { cwd: context });
      await rename(join(context, "package"), join(context, "npm"));
    },
  },
  runtime: {
    repository: "localhost/patroni-injector-test/runtime",
    bases: { BASE: "debian" },
    files: [],
    inputs: nothing,
    prepare: noPreparation,
  },
  injector: {
    repository: "localhost/patroni-injector",
    bases: { BUILD_IMAGE: "node", RUNTIME_IMAGE: "runtime" },
    project: true,
    files: ["Dockerfile", ".dockerignore", "package.json", "package-lock.json", "scripts/build.ts", "src"],
    inputs: nothing,
    prepare: noPreparation,
  },
};

/** Where the recipe's own files lie, with the Dockerfile. */
export function recipeFolder(name: ImageName): string {
  return RECIPES[name].project ? PROJECT : join(import.meta.dirname, name);
}

/** Fills an empty folder with everything that the Dockerfile may copy. */
export async function fillContext(name: ImageName, context: string, log: Log): Promise<void> {
  const { files, prepare } = RECIPES[name];
  for (const file of files)
    await cp(join(recipeFolder(name), file), join(context, file), { recursive: true });
  await prepare(context, log);
}

/** The Dockerfile that makes an image. */
export const dockerfileOf = (name: ImageName): string => join(recipeFolder(name), "Dockerfile");
