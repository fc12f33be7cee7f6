import type { ReloadSetting } from "../contract/reload-env.ts";
import type { SIDECAR_ENV, SidecarSetting } from "../contract/sidecar-env.ts";
import { port } from "../contract/syntax.ts";

type Variable = keyof typeof SIDECAR_ENV | SidecarSetting | ReloadSetting;

/** Reads variables one by one. What is wrong with one is kept; what is read in its place counts for nothing. */
export interface EnvironmentReader {
  /** An empty variable is none. */
  optional(name: Variable): string | undefined;
  required(name: Variable): string;
  portOf(name: Variable): number;
  oneOf<Word extends string>(name: Variable, words: readonly [Word, ...Word[]], otherwise: Word): Word;
  problem(text: string): void;
}

/** Throws one error that says everything that is wrong. */
export function readEnvironment<Value>(
  environment: NodeJS.ProcessEnv,
  read: (reader: EnvironmentReader) => Value,
): Value {
  const problems: string[] = [];
  const problem = (text: string): void => void problems.push(text);
  const optional = (name: Variable): string | undefined => environment[name] || undefined;
  const required = (name: Variable): string => {
    const value = optional(name);
    if (value === undefined) problem(`${name} is not set`);
    return value ?? "";
  };
  const value = read({
    problem,
    optional,
    required,
    portOf(name) {
      const number = port.read(required(name));
      if (number === undefined && optional(name) !== undefined) problem(`${name} is not ${port.allowed}`);
      return number ?? 0;
    },
    oneOf(name, words, otherwise) {
      const given = optional(name) ?? otherwise;
      const word = words.find((candidate) => candidate === given);
      if (word === undefined) problem(`${name} is not one of ${words.join(", ")}`);
      return word ?? otherwise;
    },
  });
  if (problems.length > 0) throw new Error(problems.join("; "));
  return value;
}
