import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import {
  type Command,
  type Request,
  requestBy,
  requestWithout,
  runCommand,
} from "../../../src/cli/command.ts";

const COMMAND: Command<number> = { name: "tool", usage: "Usage: tool\n", run: async (given) => given };

async function outcome(request: Request<number>, command = COMMAND) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCommand(request, command, { stdout, stderr });
  return { code, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

const thrown = (message: string) => async (): Promise<number> => {
  throw new Error(message);
};

describe("a command", () => {
  it("gives the exit code of its run, and says nothing by itself", async () =>
    assert.deepEqual(await outcome({ kind: "run", arguments: 7 }), { code: 7, stdout: "", stderr: "" }));

  it("gives help where a pager or grep can take it", async () =>
    assert.deepEqual(await outcome({ kind: "help" }), { code: 0, stdout: COMMAND.usage, stderr: "" }));

  it("says on standard error what is wrong with its usage", async () =>
    assert.deepEqual(await outcome({ kind: "usage", message: "which\u001b[1m?" }), {
      code: 2,
      stdout: "",
      stderr: `tool: which\\u001b[1m?\n\n${COMMAND.usage}`,
    }));

  const run = { kind: "run", arguments: 0 } as const;
  it("says why it failed, every line of it, and writes over none", async () =>
    assert.deepEqual(await outcome(run, { ...COMMAND, run: thrown("one\ntwo\rthree") }), {
      code: 1,
      stdout: "",
      stderr: "tool: one\ntwo\\u000dthree\n",
    }));

  it("fails with a code and in words of its own", async () => {
    const command = { ...COMMAND, run: thrown("x"), failed: 3, explain: () => ["a", "b"] };
    assert.deepEqual(await outcome(run, command), { code: 3, stdout: "", stderr: "a\nb\n" });
  });
});

describe("a command line", () => {
  it("is read", () =>
    assert.deepEqual(
      requestBy(() => 1),
      { kind: "run", arguments: 1 },
    ));
  it("asks for help", () =>
    assert.deepEqual(
      requestBy(() => undefined),
      { kind: "help" },
    ));
  it("is wrong", () => {
    const read = () => {
      throw new Error("no");
    };
    assert.deepEqual(requestBy(read), { kind: "usage", message: "no" });
  });

  const ROWS: readonly [argv: readonly string[], kind: string][] = [
    [[], "run"],
    [["--help"], "help"],
    [["-h"], "help"],
    [["now"], "usage"],
  ];
  for (const [argv, kind] of ROWS) {
    it(`without arguments: [${argv}] is ${kind}`, () => assert.equal(requestWithout(argv).kind, kind));
  }
});
