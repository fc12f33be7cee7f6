/** A rule of pg_hba.conf, as PostgreSQL has read it (`pg_hba_file_rules`), in their order. */
export interface HbaRule {
  readonly type: string | null;
  readonly databases: readonly string[] | null;
  readonly users: readonly string[] | null;
  readonly address: string | null;
  readonly method: string | null;
}

/** `"a word"`, a comma, or what reaches to the next of them. */
const TOKEN = /"((?:[^"]|"")*)"|,|[^\s,"#]+/g;
const COMMENT = /^((?:[^"#]|"(?:[^"]|"")*")*)#.*$/;

/**
 * Whether PostgreSQL has read these lines and no others. Where it reads a line in a way that is not known here (a file that is included,
 * a line that goes on), they do not agree.
 */
export function isReadFrom(lines: readonly string[], rules: readonly HbaRule[]): boolean {
  const wanted = lines.flatMap((text) => text.split("\n")).flatMap(fieldsOf);
  return wanted.length === rules.length && rules.every((rule, index) => isRule(wanted[index] ?? [], rule));
}

/** The fields of a line, each a list; none where it says nothing. */
function fieldsOf(line: string): readonly (readonly string[])[][] {
  const fields: string[][] = [];
  let goesOn = false;
  for (const [token, quoted] of line.replace(COMMENT, "$1").matchAll(TOKEN)) {
    if (token === ",") {
      goesOn = true;
      continue;
    }
    const word = quoted === undefined ? token : quoted.replaceAll('""', '"');
    if (goesOn) fields.at(-1)?.push(word);
    else fields.push([word]);
    goesOn = false;
  }
  return fields.length === 0 ? [] : [fields];
}

function isRule(fields: readonly (readonly string[])[], rule: HbaRule): boolean {
  const [type = [], databases = [], users = [], ...rest] = fields;
  const [address = ""] = rule.address === null ? [""] : (rest[0] ?? []);
  const words = rest.flat();
  return (
    type.join() === rule.type &&
    databases.join() === rule.databases?.join() &&
    users.join() === rule.users?.join() &&
    address.replace(/\/[0-9]+$/, "") === (rule.address ?? "") &&
    words.includes(rule.method ?? "")
  );
}
