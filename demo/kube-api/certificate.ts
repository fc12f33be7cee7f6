import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { bits, implicit, integer, octets, oid, sequence, set, tagged, time, utf8, yes } from "./asn1.ts";

const HOUR = 3_600_000;
const LIFETIME = 24 * HOUR;

const ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_ALT_NAME = "2.5.29.17";
const SUBJECT_KEY_ID = "2.5.29.14";
const AUTHORITY_KEY_ID = "2.5.29.35";

/** Signs server certificates; valid for a day, as everything that it signs. */
export interface Authority {
  readonly pem: string;
  readonly name: string;
  readonly key: KeyObject;
  readonly keyId: Buffer;
}

/** What `tls.createServer` takes. */
export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of its own, with an ECDSA key (P-256: made in a millisecond, cheap to shake hands with). */
export function createAuthority(name: string): Authority {
  const { publicKey, privateKey } = newKeys();
  const keyId = keyIdentifier(publicKey);
  const extensions = [
    extension(BASIC_CONSTRAINTS, sequence(yes()), true),
    extension(KEY_USAGE, bits(Buffer.from([0b0000_0110]), 1), true),
    extension(SUBJECT_KEY_ID, octets(keyId)),
  ];
  return { name, key: privateKey, keyId, pem: certify(name, publicKey, name, privateKey, extensions) };
}

/** @param names DNS names and IP addresses that the server may be called by */
export function issueServerCertificate(authority: Authority, names: readonly string[]): ServerCertificate {
  const { publicKey, privateKey } = newKeys();
  const extensions = [
    extension(SUBJECT_ALT_NAME, sequence(...names.map(alternativeName))),
    extension(AUTHORITY_KEY_ID, sequence(implicit(0, authority.keyId))),
  ];
  return {
    cert: certify(names[0] ?? "", publicKey, authority.name, authority.key, extensions),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

function certify(
  subject: string,
  publicKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const now = Date.now();
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_SHA256,
    distinguishedName(issuer),
    sequence(time(new Date(now - HOUR)), time(new Date(now + LIFETIME))),
    distinguishedName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensions)),
  );
  const der = sequence(body, ECDSA_SHA256, bits(sign("sha256", body, issuerKey)));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

const distinguishedName = (name: string) => sequence(set(sequence(oid("2.5.4.3"), utf8(name))));

const extension = (id: string, value: Buffer, critical = false) =>
  sequence(oid(id), ...(critical ? [yes()] : []), octets(value));

const keyIdentifier = (key: KeyObject) =>
  createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();

function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return implicit(7, Buffer.from(name.split(".").map(Number)));
  return implicit(2, Buffer.from(name));
}
