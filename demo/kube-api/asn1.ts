/** The little of DER (X.690) that a certificate needs. Each function gives one encoded value. */

function encode(tag: number, content: Buffer): Buffer {
  const size = content.length;
  if (size < 0x80) return Buffer.concat([Buffer.from([tag, size]), content]);
  const bytes = Buffer.from(size.toString(16).padStart(size > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content]);
}

export const sequence = (...items: readonly Buffer[]) => encode(0x30, Buffer.concat(items));
export const set = (...items: readonly Buffer[]) => encode(0x31, Buffer.concat(items));
/** A context-specific, constructed value. */
export const tagged = (tag: number, item: Buffer) => encode(0xa0 | tag, item);
/** A context-specific, primitive value. */
export const implicit = (tag: number, content: Buffer) => encode(0x80 | tag, content);
export const octets = (content: Buffer) => encode(0x04, content);
export const bits = (content: Buffer, unused = 0) =>
  encode(0x03, Buffer.concat([Buffer.from([unused]), content]));
export const utf8 = (text: string) => encode(0x0c, Buffer.from(text));
export const yes = () => encode(0x01, Buffer.from([0xff]));

/** @param content big-endian; taken as positive */
export const integer = (content: Buffer) =>
  encode(0x02, (content[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), content]) : content);

/** To the second, in UTC; years 1950 to 2049. */
export const time = (date: Date) =>
  encode(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\.\d+/g, "")
        .slice(2, -1)}Z`,
    ),
  );

/** @param dotted at least two arcs, each below 2^28 */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const septets = [arc & 0x7f];
    for (let high = arc >>> 7; high > 0; high >>>= 7) septets.unshift((high & 0x7f) | 0x80);
    bytes.push(...septets);
  }
  return encode(0x06, Buffer.from(bytes));
}
