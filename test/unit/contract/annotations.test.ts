import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  ANNOTATIONS,
  type AnnotationName,
  annotationKey,
  STATUS_ANNOTATION,
} from "../../../src/contract/annotations.ts";

interface Row {
  readonly accepts: Readonly<Record<string, unknown>>;
  readonly refuses: readonly string[];
  readonly allowed: string;
}

const LABEL = "a DNS label: lower case letters, digits and dashes, at most 63 characters";
const SERVICE =
  "the name of a Service: lower case letters, digits and dashes, a letter first, at most 63 characters";
const OBJECT = "the name of an object: lower case letters, digits, dashes and dots, at most 253 characters";
const PORT = "a port from 1 to 65535";
const QUANTITY = "a Kubernetes quantity such as 50m, 0.1 or 64Mi";

const ON_OFF: Row = {
  accepts: { on: "on", off: "off" },
  refuses: ["", "true", "false", "ON", "of"],
  allowed: '"on" or "off"',
};
const serviceRow: Row = {
  accepts: { "my-pg": "my-pg" },
  refuses: ["", "1pg", "my.pg", "My-Pg"],
  allowed: SERVICE,
};
const secretRow: Row = { accepts: { "ca.v2": "ca.v2" }, refuses: ["", "CA", "a/b", "../x"], allowed: OBJECT };
const portRow: Row = { accepts: { "5433": 5433 }, refuses: ["", "0", "65536", "pg"], allowed: PORT };
const quantityRow: Row = {
  accepts: { "100m": "100m", "64Mi": "64Mi" },
  refuses: ["", "0", "much"],
  allowed: QUANTITY,
};

const volumeRow: Row = {
  accepts: { "pg-config": "pg-config" },
  refuses: ["", "a.b", "A", "a/b"],
  allowed: LABEL,
};
const fileRow: Row = {
  accepts: { version: "version", "conf.d/my_version-1.txt": "conf.d/my_version-1.txt" },
  refuses: ["", "/etc/passwd", "../x", "a/../b", "a//b", "a b", "$(X)", "."],
  allowed: "the path of a file within its volume: letters, digits, dots, dashes, underscores and slashes",
};
const versionRow: Row = {
  accepts: { "0": 0, "42": 42, "9007199254740991": Number.MAX_SAFE_INTEGER },
  refuses: ["", "-1", "1.5", "v1", "9007199254740993", "99999999999999999"],
  allowed: "a whole number from 0 to 9007199254740991",
};

const ROWS: Readonly<Record<AnnotationName, Row>> = {
  inject: {
    accepts: { true: "true", false: "false" },
    refuses: ["", "yes", "True", "0"],
    allowed: '"true" or "false"',
  },
  container: { accepts: { "pg-1": "pg-1" }, refuses: ["", "PG", "a.b"], allowed: LABEL },
  cluster: {
    accepts: { "My_Cluster.1": "My_Cluster.1" },
    refuses: ["", "a b", "-a"],
    allowed: "a Patroni scope: letters, digits, dashes, dots and underscores, at most 253 characters",
  },
  "headless-service": serviceRow,
  "primary-service": serviceRow,
  "postgres-port": portRow,
  "patroni-port": portRow,
  "patroni-scheme": {
    accepts: { http: "http", https: "https" },
    refuses: ["", "HTTPS", "tls"],
    allowed: '"http" or "https"',
  },
  "patroni-ca-secret": secretRow,
  "patroni-client-secret": secretRow,
  "patroni-auth-secret": secretRow,
  "exclude-ports": {
    accepts: { "": [], "9187": [9187], "9187, 6432": [9187, 6432] },
    refuses: ["0", "9187;6432", "http", "70000"],
    allowed: "ports from 1 to 65535, separated by commas",
  },
  "exclude-outbound-ip-ranges": {
    accepts: { "": [], "10.0.0.0/8,fd00::/8": ["10.0.0.0/8", "fd00::/8"] },
    refuses: ["10.0.0.1", "*", "10.0.0.0/33"],
    allowed: "address ranges such as 10.0.0.0/8, separated by commas",
  },
  "connect-addresses": ON_OFF,
  mesh: ON_OFF,
  discovery: ON_OFF,
  reload: ON_OFF,
  "reload-postgres-volume": volumeRow,
  "reload-postgres-version": {
    accepts: { file: "file", annotation: "annotation", dcs: "dcs" },
    refuses: ["", "DCS", "etcd"],
    allowed: '"file" or "annotation" or "dcs"',
  },
  "reload-postgres-version-file": fileRow,
  "reload-postgres-secret": secretRow,
  "reload-pgbouncer-volume": volumeRow,
  "reload-pgbouncer-version": {
    accepts: { file: "file", annotation: "annotation" },
    refuses: ["", "dcs"],
    allowed: '"file" or "annotation"',
  },
  "reload-pgbouncer-version-file": fileRow,
  "reload-pgbouncer-ini": fileRow,
  "reload-pgbouncer-host": {
    accepts: { "127.0.0.1": "127.0.0.1", "::1": "::1", pod: "pod" },
    refuses: ["", "10.0.0.1", "localhost", "$(X)"],
    allowed: '"127.0.0.1" or "::1" or "pod"',
  },
  "reload-pgbouncer-port": portRow,
  "reload-pgbouncer-socket-volume": volumeRow,
  "reload-pgbouncer-user": {
    accepts: { pgbouncer: "pgbouncer", "a.b-c_1": "a.b-c_1" },
    refuses: ["", "a b", "a@b", "$(X)", "-a"],
    allowed: "the name of a user: letters, digits, dots, dashes and underscores, at most 63 characters",
  },
  "reload-pgbouncer-secret": secretRow,
  "reload-pgbouncer-method": {
    accepts: { console: "console", signal: "signal" },
    refuses: ["", "SIGHUP"],
    allowed: '"console" or "signal"',
  },
  "reload-pgbouncer-reconnect": ON_OFF,
  "reload-tls-secret": secretRow,
  "reload-allow": {
    accepts: { "": [], "ops/pipeline, db/a.b": ["ops/pipeline", "db/a.b"] },
    refuses: ["pipeline", "ops/", "/x", "ops/a/b", "Ops/a", "system:serviceaccount:ops:a"],
    allowed: "ServiceAccounts as namespace/name, separated by commas",
  },
  "reload-socket": ON_OFF,
  "reload-automatic": ON_OFF,
  "postgres-config-version": versionRow,
  "pgbouncer-config-version": versionRow,
  "spilo-token": { accepts: { fix: "fix" }, refuses: ["", "true", "on", "103"], allowed: '"fix"' },
  "sidecar-cpu-request": quantityRow,
  "sidecar-cpu-limit": quantityRow,
  "sidecar-memory-request": quantityRow,
  "sidecar-memory-limit": quantityRow,
  "sidecar-log-level": {
    accepts: { debug: "debug", info: "info", warn: "warn", error: "error" },
    refuses: ["", "trace", "INFO"],
    allowed: '"debug" or "info" or "warn" or "error"',
  },
};

describe("annotations", () => {
  for (const [name, { accepts, refuses, allowed }] of Object.entries(ROWS)) {
    const { syntax, means } = ANNOTATIONS[name as AnnotationName];
    test(`${name} is documented, and says what is allowed`, () => {
      assert.match(means, /^.{10,}\.$/s);
      assert.equal(syntax.allowed, allowed);
    });
    for (const [text, value] of Object.entries(accepts)) {
      test(`${name} takes "${text}"`, () => assert.deepEqual(syntax.read(text), value));
    }
    for (const text of refuses) {
      test(`${name} refuses "${text}"`, () => assert.equal(syntax.read(text), undefined));
    }
  }

  test("the table above is about all of them", () => {
    assert.deepEqual(Object.keys(ROWS).sort(), Object.keys(ANNOTATIONS).sort());
  });

  test("every key is a qualified name, and none is the status's", () => {
    for (const name of Object.keys(ANNOTATIONS) as AnnotationName[]) {
      assert.match(annotationKey(name), /^patroni-injector\.io\/[a-z][-a-z]{0,61}[a-z]$/);
      assert.notEqual(annotationKey(name), STATUS_ANNOTATION);
    }
  });
});
