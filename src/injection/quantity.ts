import { asObject } from "../json/value.ts";

/**
 * Kubernetes quantities, as far as a QoS class needs them: compared and added exactly, in units of 10^-9, as the
 * API server does (apimachinery resource.Quantity: decimal and binary suffixes, and exponents).
 */
const SUFFIXES: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 10n ** 3n,
  m: 10n ** 6n,
  "": 10n ** 9n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
  Ki: 10n ** 9n * 2n ** 10n,
  Mi: 10n ** 9n * 2n ** 20n,
  Gi: 10n ** 9n * 2n ** 30n,
  Ti: 10n ** 9n * 2n ** 40n,
  Pi: 10n ** 9n * 2n ** 50n,
  Ei: 10n ** 9n * 2n ** 60n,
};

const FORM = /^([+-]?)([0-9]{0,30})(?:\.([0-9]{0,30}))?(?:[eE]([+-]?[0-9]{1,2})|(n|u|m|k|[KMGTPE]i?))?$/;

/** The value in billionths, rounded up as the API server rounds; undefined where it is no quantity. */
export function nanos(quantity: unknown): bigint | undefined {
  const form = FORM.exec(
    typeof quantity === "number" ? String(quantity) : typeof quantity === "string" ? quantity : "x",
  );
  if (form === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent, suffix = ""] = form;
  if (whole === "" && fraction === "") return undefined;
  const unit = exponent === undefined ? SUFFIXES[suffix] : undefined;
  if (exponent === undefined && unit === undefined) return undefined;

  let numerator = BigInt(whole + fraction) * (unit ?? 10n ** 9n);
  let denominator = 10n ** BigInt(fraction.length);
  const power = BigInt(exponent ?? "0");
  if (power >= 0n) numerator *= 10n ** power;
  else denominator *= 10n ** -power;
  const rounded = (numerator + denominator - 1n) / denominator;
  return sign === "-" ? -rounded : rounded;
}

/** True where two lists of quantities, by resource name, say the same, however each is written. */
export function sameQuantities(one: unknown, other: unknown): boolean {
  const [here, there] = [asObject(one) ?? {}, asObject(other) ?? {}];
  return [...new Set([...Object.keys(here), ...Object.keys(there)])].every((name) => {
    const value = nanos(here[name]);
    return value !== undefined && value === nanos(there[name]);
  });
}
