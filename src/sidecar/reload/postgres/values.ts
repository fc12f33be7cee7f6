/** What PostgreSQL tells of a parameter in `pg_settings`; all undefined where it does not list it, as with placeholders. */
export interface ParameterKind {
  /** `bool`, `integer`, `real`, `enum` or `string`. */
  readonly vartype: string | undefined;
  /** What numbers without a unit are in: `kB`, `8kB`, `ms`, `min`, … */
  readonly unit: string | undefined;
  readonly least: number | undefined;
  readonly most: number | undefined;
}

/** Whether PostgreSQL takes two texts of a parameter for the same value. */
export function isSameValue(one: string, other: string, kind: ParameterKind): boolean {
  if (one === other) return true;
  switch (kind.vartype) {
    case "bool": {
      const truth = truthOf(one);
      return truth !== undefined && truth === truthOf(other);
    }
    case "enum":
      // Some have `on`, `off` and further words.
      return one.toLowerCase() === other.toLowerCase() || (truthOf(one) ?? one) === (truthOf(other) ?? other);
    case "integer":
    case "real": {
      const number = numberOf(one, kind);
      return number !== undefined && number === numberOf(other, kind);
    }
    default:
      return false;
  }
}

/** Whether a text is a number that the parameter does not reach to. */
export function isOutOfRange(text: string, kind: ParameterKind): boolean {
  const number = kind.vartype === "integer" || kind.vartype === "real" ? numberOf(text, kind) : undefined;
  if (number === undefined) return false;
  return (
    number < (kind.least ?? Number.NEGATIVE_INFINITY) || number > (kind.most ?? Number.POSITIVE_INFINITY)
  );
}

/** Every beginning of a word counts that no other word has (parse_bool_with_len). */
function truthOf(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (word === "") return undefined;
  if (word === "on" || word === "1" || "true".startsWith(word) || "yes".startsWith(word)) return true;
  if (word === "of" || word === "off" || word === "0" || "false".startsWith(word) || "no".startsWith(word))
    return false;
  return undefined;
}

/** Bytes, and microseconds (guc.c, memory_unit_conversion_table and time_unit_conversion_table). */
const UNITS: readonly Readonly<Record<string, number>>[] = [
  { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 },
  { us: 1, ms: 1e3, s: 1e6, min: 60e6, h: 3600e6, d: 86_400e6 },
];
const QUANTITY = /^\s*([+-]?(?:0x[0-9a-f]+|[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?|[0-9]+\.))\s*([a-z]*)\s*$/i;
const BASE = /^([0-9]*)([A-Za-z]+)$/;

/** In the parameter's own unit; undefined where the text is no such number. */
function numberOf(text: string, { vartype, unit }: ParameterKind): number | undefined {
  const [, digits = "", suffix = ""] = QUANTITY.exec(text) ?? [];
  if (digits === "") return undefined;
  const inUnit = Number(digits) * (suffix === "" ? 1 : (factor(suffix, unit ?? "") ?? Number.NaN));
  if (Number.isNaN(inUnit)) return undefined;
  return vartype === "integer" ? Math.round(inUnit) : inUnit;
}

function factor(suffix: string, base: string): number | undefined {
  const [, times = "", name = ""] = BASE.exec(base) ?? [];
  const table = UNITS.find((units) => Object.hasOwn(units, name));
  const [of, per] = [table?.[suffix], table?.[name]];
  return of === undefined || per === undefined ? undefined : of / (per * (times === "" ? 1 : Number(times)));
}
