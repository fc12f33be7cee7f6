/** Requests that servers along the way could understand differently (RFC 9112, section 11), and others that no client sends. */
export interface Shape {
  readonly name: string;
  /** What goes over the wire, given a review as JSON. */
  bytes(review: string): string;
  /**
   * `refused`: no review is answered, and the connection is closed, so that nothing that follows is taken for a request.
   * `answered`: this is harmless, and the review is answered.
   */
  readonly ends: "refused" | "answered";
}

const head = (...lines: string[]): string =>
  ["POST /mutate HTTP/1.1", "Host: x", "Content-Type: application/json", ...lines, "", ""].join("\r\n");

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const chunked = (text: string): string => `${chunk(text)}0\r\n\r\n`;
const length = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}`;
const whole = (review: string, ...lines: string[]): string => head(...lines, length(review)) + review;

const SMUGGLED = "POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

const refused = (name: string, bytes: Shape["bytes"]): Shape => ({ name, bytes, ends: "refused" });
const answered = (name: string, bytes: Shape["bytes"]): Shape => ({ name, bytes, ends: "answered" });

export const SHAPES: readonly Shape[] = [
  refused("a length and chunks", (r) => head(length(r), "Transfer-Encoding: chunked") + chunked(r)),
  refused("chunks and a length that ends before them", (r) =>
    [head("Transfer-Encoding: chunked", "Content-Length: 4"), chunked(r), SMUGGLED].join(""),
  ),
  refused("two lengths that differ", (r) => head("Content-Length: 4", length(r)) + r),
  refused("two lengths that are the same", (r) => head(length(r), length(r)) + r),
  refused("a list of lengths", (r) => head(`Content-Length: ${r.length}, ${r.length}`) + r),
  refused("a length with a sign", (r) => head(`Content-Length: +${r.length}`) + r),
  refused("a negative length", (r) => head("Content-Length: -1") + r),
  refused("a length in hexadecimal", (r) => head("Content-Length: 0x10") + r),
  refused("a length beyond all numbers", (r) => head(`Content-Length: ${"9".repeat(40)}`) + r),
  refused("an empty length", (r) => head("Content-Length:") + r),
  refused("an encoding that is not known", (r) => head("Transfer-Encoding: xchunked") + chunked(r)),
  refused("chunked that is not the last encoding", (r) =>
    [head("Transfer-Encoding: chunked, identity"), chunked(r)].join(""),
  ),
  refused("chunked twice", (r) => head("Transfer-Encoding: chunked", "Transfer-Encoding: x") + chunked(r)),
  refused("an encoding behind a vertical tab", (r) => head("Transfer-Encoding: \vchunked") + chunked(r)),
  refused("a space before the colon", (r) => head(`Content-Length : ${r.length}`) + r),
  refused("a header without a name", (r) => whole(r, ": x")),
  refused("a NUL in a header", (r) => whole(r, "X-A: a\0b")),
  refused("a line that is folded", (r) => whole(r, "X-A: a\r\n b")),
  refused("a length on a folded line", (r) => head(`Content-Length:\r\n ${r.length}`) + r),
  refused("lines that end with LF alone", (r) => whole(r).replaceAll("\r\n", "\n")),
  refused("lines that end with CR alone", (r) => whole(r, "X-A: a\rX-B: b")),
  refused(
    "a chunk's size with junk behind it",
    (r) => head("Transfer-Encoding: chunked") + chunked(r).replace("\r\n", " x\r\n"),
  ),
  refused(
    "a chunk's size beyond all numbers",
    (r) => `${head("Transfer-Encoding: chunked")}${"f".repeat(20)}\r\n${r}`,
  ),
  refused(
    "a chunk that is longer than its size",
    (r) => `${head("Transfer-Encoding: chunked")}1\r\n${r}\r\n0\r\n\r\n`,
  ),
  refused(
    "a chunk extension without an end",
    (r) => `${head("Transfer-Encoding: chunked")}1;${"a".repeat(100_000)}\r\n${r}`,
  ),
  refused("headers of a megabyte", (r) => whole(r, `X-A: ${"a".repeat(1_000_000)}`)),
  refused("a path of a megabyte", (r) => whole(r).replace("/mutate", `/${"a".repeat(1_000_000)}`)),
  refused("ten thousand headers", (r) =>
    whole(r, ...Array.from({ length: 10_000 }, (_, index) => `X-${index}: a`)),
  ),
  refused("no Host", (r) => whole(r).replace("Host: x\r\n", "")),
  refused("a method that nobody knows", (r) => whole(r).replace("POST", "PSOT")),
  refused("CONNECT", () => "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n"),
  refused("HTTP/0.9", () => "GET /mutate\r\n\r\n"),
  refused("HTTP/3.0 in the request line", (r) => whole(r).replace("HTTP/1.1", "HTTP/3.0")),
  refused("the preface of HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refused("a request behind a request", (r) => whole(r) + whole(r)),
  refused("a TLS handshake inside of TLS", () => "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"),
  answered("two Hosts, which nobody looks at", (r) => whole(r, "Host: y")),
  answered("chunks", (r) => head("Transfer-Encoding: chunked") + chunked(r)),
  answered("chunks with an extension and a trailer", (r) =>
    [head("Transfer-Encoding: chunked"), chunk(r).replace("\r\n", ";a=b\r\n"), "0\r\nX-A: a\r\n\r\n"].join(
      "",
    ),
  ),
  answered("empty lines ahead", (r) => `\r\n\r\n${whole(r)}`),
  answered("a wish for 100 Continue", (r) => whole(r, "Expect: 100-continue")),
  answered("a wish to change to HTTP/2", (r) =>
    whole(r, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
  ),
];
