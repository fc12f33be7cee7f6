import { type IniPart, parseIni } from "./ini.ts";

/** A `key = value` of pgbouncer.ini or of a file that it includes, and where it stands. */
export interface IniEntry {
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** The path as PgBouncer is told it. */
  readonly file: string;
  readonly line: number;
}

export interface Ini {
  /** In the order in which PgBouncer takes them: of two with one key the later counts. */
  readonly entries: readonly IniEntry[];
  /** Where PgBouncer stops reading, and why. */
  readonly fault: (Pick<IniEntry, "file" | "line"> & { readonly message: string }) | undefined;
  /** Files that are included and cannot be seen here: what they hold is not known. */
  readonly unseen: readonly string[];
}

/** More files than this do not include each other (MAX_INCLUDE). */
const DEEPEST = 10;

const MAIN = "pgbouncer";
const SECTIONS = [MAIN, "databases", "users", "peers"];

/**
 * Reads pgbouncer.ini and what it includes, as PgBouncer does: a section goes on into and out of a file that is included, and one that
 * begins again sets every setting back to its default.
 *
 * @param file the path of pgbouncer.ini as PgBouncer is told it
 * @param read the text of a file by its path as PgBouncer has it; undefined where it cannot be seen here
 */
export async function loadIni(
  file: string,
  text: string,
  read: (path: string) => Promise<string | undefined>,
): Promise<Ini> {
  let entries: IniEntry[] = [];
  let section: string | undefined;
  const unseen: string[] = [];

  const take = async (path: string, parts: readonly IniPart[], depth: number): Promise<Ini["fault"]> => {
    for (const part of parts) {
      const faulty = (message: string): Ini["fault"] => ({ file: path, line: part.line, message });
      switch (part.kind) {
        case "fault":
          return faulty("this line cannot be read");
        case "section":
          if (!SECTIONS.includes(part.name)) return faulty(`there is no section ${part.name}`);
          section = part.name;
          if (section === MAIN) entries = entries.filter((entry) => entry.section !== MAIN);
          break;
        case "entry":
          if (section === undefined) return faulty("this line stands in no section");
          entries.push({ section, key: part.key, value: part.value, file: path, line: part.line });
          break;
        case "include": {
          if (depth === DEEPEST) return faulty("the files include each other too deeply");
          const included = await read(part.path);
          if (included === undefined) unseen.push(part.path);
          else {
            const fault = await take(part.path, parseIni(included), depth + 1);
            if (fault !== undefined) return fault;
          }
        }
      }
    }
    return undefined;
  };

  const fault = await take(file, parseIni(text), 0);
  return { entries, fault, unseen };
}

/** The entries of a section by key: the last of each. */
export function sectionOf({ entries }: Pick<Ini, "entries">, section: string): ReadonlyMap<string, IniEntry> {
  return new Map(entries.filter((entry) => entry.section === section).map((entry) => [entry.key, entry]));
}
