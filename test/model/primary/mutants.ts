import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Subject } from "./world.ts";

const SOURCES = fileURLToPath(new URL("../../../src/", import.meta.url));

/** A rule taken out of the sources: each text that stands for it, and what stands there instead. */
interface Mutant {
  readonly rule: string;
  readonly file: string;
  readonly changes: readonly (readonly [text: string, instead: string])[];
  readonly finds: RegExp;
}

export const MUTANTS: readonly Mutant[] = [
  {
    rule: "the compare-and-swap",
    file: "primary/slice.ts",
    changes: [
      [
        "const metadata = asObject(slice.metadata) ?? {};",
        "const { resourceVersion: _, ...metadata } = asObject(slice.metadata) ?? {};",
      ],
    ],
    // A write that was to leave the address as it was brings one back that is gone.
    finds: /was published after|was published over|may still land|settled on|without having been proven/,
  },
  {
    rule: "the read before the observation",
    file: "primary/round.ts",
    changes: [
      ['const observation = yield* ask({ kind: "observe" });', ""],
      [
        "const read = yield*",
        'const observation = yield* ask({ kind: "observe" });\n    const read = yield*',
      ],
    ],
    finds: /was published after|was published over/,
  },
  {
    rule: "the age check",
    file: "primary/round.ts",
    changes: [["const notAfter = observation.sentAt + OBSERVATION_VALID_MS;", "const notAfter = Infinity;"]],
    finds: /after its observation/,
  },
  {
    rule: "the rule on lost answers",
    file: "primary/round.ts",
    changes: [["memory.inDoubt = true;", ""]],
    finds: /may still land/,
  },
  {
    rule: "the term check",
    file: "primary/decide.ts",
    changes: [
      ["slice.term !== undefined && !follows(term, slice.term)", "slice.term !== undefined && false"],
    ],
    finds: /was published over/,
  },
  {
    rule: "the caution where a term was forgotten",
    file: "primary/term.ts",
    changes: [["if (current === UNKNOWN_TERM) return false;", "if (current === UNKNOWN_TERM) return true;"]],
    finds: /was published over/,
  },
  {
    rule: "the observation after a publication",
    file: "primary/round.ts",
    changes: [['if (standingOf(after).kind === "primary") return last;', "return last;"]],
    finds: /was not confirmed|settled on/,
  },
  {
    rule: "the proof of being primary",
    file: "primary/standing.ts",
    changes: [['state !== "running"', "false"]],
    finds: /without having been proven|was not confirmed|settled on/,
  },
];

/** The sources with one rule taken out, as a module of their own. */
export async function loadMutant(mutant: Mutant): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), "mutant-"));
  try {
    for (const part of ["primary", "contract", "json", "patroni"]) {
      await cp(join(SOURCES, part), join(folder, "src", part), { recursive: true });
    }
    const file = join(folder, "src", mutant.file);
    let source = await readFile(file, "utf8");
    for (const [text, instead] of mutant.changes) {
      if (source.split(text).length !== 2) throw new Error(`${mutant.file} has not exactly one "${text}"`);
      source = source.replace(text, instead);
    }
    await writeFile(file, source);
    return (await import(pathToFileURL(join(folder, "src/primary/round.ts")).href)) as Subject;
  } finally {
    await rm(folder, { recursive: true });
  }
}
