import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { inNode } from "./namespaces.ts";
import { BINARIES_FOLDER } from "./state.ts";

/** Loads an OCI archive for the kubelet to find. It is unpacked now, so that the first pod need not wait. */
export async function loadImage(folder: string, archive: string): Promise<void> {
  const ctr = [join(folder, BINARIES_FOLDER, "ctr"), "--namespace=k8s.io", "images"];
  const [program = "", ...args] = inNode(folder, [...ctr, "import", archive]);
  await promisify(execFile)(program, args);
}
