import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

export type Line = Readonly<Record<string, unknown>>;

/** A `serve` process of its own with a configuration file, for the time of a test. */
export interface ServeProcess {
  readonly child: ChildProcess;
  readonly configPath: string;
  readonly lines: readonly Line[];
  /** The line with this message, as soon as it is written. */
  line(message: string): Promise<Line>;
  /** The exit code, and what was written to standard error. */
  ended(): Promise<{ code: number | null; stderr: string }>;
}

const MAIN = join(import.meta.dirname, "../../../src/main.ts");

export async function startServe(
  t: TestContext,
  configuration: string,
  options: readonly string[] = [],
): Promise<ServeProcess> {
  const directory = await mkdtemp(join(tmpdir(), "serve-"));
  const configPath = join(directory, "config.yaml");
  await writeFile(configPath, configuration);
  const { KUBERNETES_SERVICE_HOST: _, ...env } = process.env;
  const child = spawn(process.execPath, [MAIN, "serve", "--config", configPath, ...options], { env });
  const closed = once(child, "close");
  t.after(async () => {
    child.kill("SIGKILL");
    await closed;
    await rm(directory, { recursive: true });
  });

  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stdout).on("line", (text) => {
    lines.push(JSON.parse(text));
    for (const look of waiting) look();
  });

  return {
    child,
    configPath,
    lines,
    line: (message) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(({ msg }) => msg === message);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void closed.then(() => reject(new Error(`ended without the line "${message}": ${stderr}`)));
      }),
    async ended() {
      const [code] = await closed;
      return { code, stderr };
    },
  };
}
