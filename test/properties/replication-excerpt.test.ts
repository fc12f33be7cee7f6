import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { replicationExcerpt } from "../../src/patroni/replication-excerpt.ts";
import { runs } from "./runs.ts";

const rules = fc.option(
  fc.array(fc.constantFrom("host replication all all md5", "local all all trust", "on", "#"), {
    maxLength: 3,
  }),
);
const some = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const postgresql = some(
  fc.record(
    {
      pg_hba: rules,
      parameters: fc.record({
        hba_file: fc.constantFrom("/etc/hba", null, ""),
        work_mem: fc.constant("4MB"),
      }),
      authentication: fc.record({
        replication: fc.record({ username: fc.string(), password: fc.constant("SECRET") }),
      }),
      listen: fc.string(),
    },
    { requiredKeys: [] },
  ),
);
const configuration = fc.record(
  {
    scope: fc.string(),
    postgresql,
    bootstrap: fc.record(
      {
        pg_hba: rules,
        method: fc.constantFrom("initdb", "clone"),
        dcs: fc.record({ postgresql }),
        users: fc.object(),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const excerptOf = (text: string) => {
  const excerpt = replicationExcerpt(text);
  assert.ok(excerpt.kind === "read", text);
  return excerpt.configuration;
};

test("an excerpt is its own excerpt, the same of YAML and JSON, and holds no password", () => {
  fc.assert(
    fc.property(configuration, (whole) => {
      const json = JSON.stringify(whole);
      const excerpt = excerptOf(json);
      assert.deepEqual(excerptOf(JSON.stringify(excerpt)), excerpt);
      assert.deepEqual(
        excerptOf(stringify(JSON.parse(json), { defaultStringType: "QUOTE_DOUBLE" })),
        excerpt,
      );
      assert.ok(!JSON.stringify(excerpt).includes("SECRET"));
    }),
    runs(200),
  );
});

test("any text is read or is unreadable", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const excerpt = replicationExcerpt(text);
      if (excerpt.kind === "read")
        assert.deepEqual(excerptOf(JSON.stringify(excerpt.configuration)), excerpt.configuration);
    }),
    runs(200),
  );
});
