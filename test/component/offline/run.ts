import { PassThrough, Readable } from "node:stream";
import { run } from "../../../src/offline/command.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process, with streams in place of the terminal. */
export async function inject(
  argv: readonly string[],
  {
    stdin = "",
    isTTY = false,
    env = {},
  }: { stdin?: string; isTTY?: boolean; env?: Record<string, string> } = {},
): Promise<Ran> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = new PassThrough();
  const texts = Promise.all(
    [stdout, stderr].map(async (stream) => Buffer.concat(await stream.toArray()).toString()),
  );
  const code = await run(argv, { stdin: Readable.from([Buffer.from(stdin)]), stdout, stderr, env });
  stdout.end();
  stderr.end();
  const [out = "", err = ""] = await texts;
  return { code, stdout: out, stderr: err };
}
