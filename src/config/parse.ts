import { LineCounter, parseDocument } from "yaml";
import { ConfigError, problemAt, problemsIn } from "./problems.ts";
import { type Config, configSchema } from "./schema.ts";

const ONE_DOCUMENT = "expected one YAML document, got several";

/** What the surroundings say where the file says nothing. */
export interface Defaults {
  readonly clusterDomain: string;
}

/**
 * Reads a configuration from YAML text; an empty text is the default configuration.
 *
 * @param name stands before each problem, usually the file's path
 * @throws ConfigError with every problem, not only the first
 */
export function parseConfig(text: string, name: string, defaults: Defaults): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ code, message, pos }) =>
        problemAt(
          { name, lines },
          pos[0],
          code === "MULTIPLE_DOCS" ? ONE_DOCUMENT : `not valid YAML: ${message}`,
        ),
      ),
    );
  }
  const result = configSchema.safeParse(contentOf(document, name));
  if (!result.success) throw new ConfigError(problemsIn(result.error.issues, { name, document, lines }));
  return { ...result.data, clusterDomain: result.data.clusterDomain ?? defaults.clusterDomain };
}

function contentOf(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    // An alias without its anchor, or aliases that multiply without end.
    throw new ConfigError([`${name}: not valid YAML: ${(error as Error).message}`], { cause: error });
  }
}
