import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { ensureBinaries } from "../../cluster/build.ts";
import type { ControlPlane } from "../../cluster/control-plane.ts";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl against a control plane with a text as its standard input. */
export async function kubectl(plane: ControlPlane, args: readonly string[], stdin: string): Promise<Ran> {
  const { kubectl: binary } = await ensureBinaries(["kubectl"]);
  const child = spawn(binary, ["--kubeconfig", plane.kubeconfig.path, ...args], {
    env: { HOME: "/nonexistent" }, // no cache, no configuration of the user's
  });
  child.stdin.end(stdin);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout, stderr };
}
