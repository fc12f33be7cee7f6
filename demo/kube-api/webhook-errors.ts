import { generic } from "./status.ts";

interface Refused {
  readonly code: number;
  readonly body: string;
  /** The body is plain text: only then is it quoted. */
  readonly isText: boolean;
}

interface Dialled {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
}

/** What client-go says of an answer that is no success: the Status in it, or words of its own. */
export function complaint({ code, body, isText }: Refused): string {
  try {
    const answer = JSON.parse(body);
    if (answer?.kind === "Status" && typeof answer.message === "string") return answer.message;
  } catch {
    // Not JSON: no Status.
  }
  return generic(code, isText ? body.trim().slice(0, 2048) : undefined).message;
}

const UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority";

/** The words of Go's network stack for the errors of Node's. */
const GO_WORDS: Readonly<Record<string, string>> = {
  ECONNRESET: "EOF",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
};

/** What Go says of a call that came to no answer. @param late its time was over */
export function networkText(error: unknown, late: boolean, { host, port, servername }: Dialled): string {
  if (late) return "context deadline exceeded";
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (code === "ECONNREFUSED") return `dial tcp ${host}:${port}: connect: connection refused`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `tls: failed to verify certificate: x509: certificate is not valid for ${servername || host}`;
  }
  return GO_WORDS[code] ?? message;
}
