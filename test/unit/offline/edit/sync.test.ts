import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../../src/json/value.ts";
import { sync } from "../../../../src/offline/edit/sync.ts";
import { parseDocument } from "../../../../src/offline/parse.ts";

/** The value of `text` after `change` was made to it. */
// biome-ignore lint/suspicious/noExplicitAny: a test's change reaches into a value of its own text
function changed(text: string, change: (value: any) => void): Json {
  const parsed = parseDocument(text);
  assert.equal(parsed.kind, "read", JSON.stringify(parsed));
  const value = structuredClone(parsed.kind === "read" ? JSON.parse(JSON.stringify(parsed.value)) : null);
  change(value);
  return value;
}

interface Case {
  readonly name: string;
  readonly before: string;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly change: (value: any) => void;
  readonly after: string;
}

const cases: readonly Case[] = [
  {
    name: "nothing to change: the very text",
    before: "a:   1 # x\n\n\n",
    change: () => {},
    after: "a:   1 # x\n\n\n",
  },
  {
    name: "an entry in front of another leaves every comment where it was",
    before: [
      "env:",
      "  # about one",
      "  - name: ONE   # trailing",
      "    value: '1'",
      "    # still about one",
      "",
      "  # about two",
      '  - name: "TWO"',
      "    value: |",
      "      text",
      "",
    ].join("\n"),
    change: ({ env }) => env.splice(1, 0, { name: "NEW", valueFrom: { fieldRef: { fieldPath: "x" } } }),
    after: [
      "env:",
      "  # about one",
      "  - name: ONE   # trailing",
      "    value: '1'",
      "    # still about one",
      "  - name: NEW",
      "    valueFrom:",
      "      fieldRef:",
      "        fieldPath: x",
      "",
      "  # about two",
      '  - name: "TWO"',
      "    value: |",
      "      text",
      "",
    ].join("\n"),
  },
  {
    name: "an entry in front of the first goes above its comments",
    before: "env:\n# about one\n- name: ONE\n",
    change: ({ env }) => env.unshift({ name: "NEW" }),
    after: "env:\n- name: NEW\n# about one\n- name: ONE\n",
  },
  {
    name: "a new key stands behind the one that precedes it, new lists are indented like the others",
    before: "spec:\n  containers:\n  - name: pg\n  # about volumes\n  volumes: []  # none yet\n  last: 1\n",
    change: (value) => {
      const { containers, last } = value.spec;
      value.spec = { containers, initContainers: [{ name: "side" }], volumes: [{ name: "v" }], last };
    },
    after:
      "spec:\n  containers:\n  - name: pg\n  initContainers:\n  - name: side\n  # about volumes\n  volumes:  # none yet\n  - name: v\n  last: 1\n",
  },
  {
    name: "a scalar keeps its quotes and its comment",
    before: "a: 'x'  # one\nb: \"y\"\nc: z # three\n",
    change: (value) => Object.assign(value, { a: "it's", b: "no", c: "8080" }),
    after: "a: 'it''s'  # one\nb: \"no\"\nc: \"8080\" # three\n",
  },
  {
    name: "a block scalar stays one, with its indentation and the comment in its header",
    before: "a: | # text\n     one\n     two\nb: 1\n",
    change: (value) => {
      value.a = "one\n\nthree\n";
    },
    after: "a: | # text\n     one\n\n     three\nb: 1\n",
  },
  {
    name: "strings that YAML 1.1 takes for something else are quoted",
    before: "a: 1\n",
    change: (value) =>
      Object.assign(value, { b: "on", c: "0644", d: "1e3", e: "2001-01-01", f: "12:30", g: "0o7" }),
    after: 'a: 1\nb: "on"\nc: "0644"\nd: "1e3"\ne: "2001-01-01"\nf: "12:30"\ng: "0o7"\n',
  },
  {
    name: "unchanged numbers stay as written",
    before: "mode: 0644\nbig: 12345678901234567890\nx: 1.0\n",
    change: (value) => {
      value.z = 1;
    },
    after: "mode: 0644\nbig: 12345678901234567890\nx: 1.0\nz: 1\n",
  },
  {
    name: "an alias that must differ from its anchor is written out, its anchor stays",
    before: "selector: &labels\n  app: pg # shared\ntemplate:\n  labels: *labels\n  other: *labels\n",
    change: (value) => {
      value.template.labels.extra = "x";
    },
    after:
      "selector: &labels\n  app: pg # shared\ntemplate:\n  labels:\n    app: pg\n    extra: x\n  other: *labels\n",
  },
  {
    name: "an alias of a changed anchor keeps its value by being written out",
    before: "one:\n  env: &env\n  - name: A\ntwo:\n  env: *env\n",
    change: (value) => {
      value.one.env = [...value.one.env, { name: "B" }];
    },
    after: "one:\n  env: &env\n  - name: A\n  - name: B\ntwo:\n  env:\n  - name: A\n",
  },
  {
    name: "an alias stays where it changes like its anchor",
    before: "one: &x\n  a: 1\ntwo: *x\n",
    change: (value) => {
      value.one = { a: 1, b: 2 };
      value.two = { a: 1, b: 2 };
    },
    after: "one: &x\n  a: 1\n  b: 2\ntwo: *x\n",
  },
  {
    name: "a merged-in key that changes is overridden",
    before: "base: &base {a: 1, b: 2}\nuse:\n  <<: *base # shared\n  c: 3\n",
    change: (value) => {
      value.use.b = 5;
    },
    after: "base: &base {a: 1, b: 2}\nuse:\n  <<: *base # shared\n  c: 3\n  b: 5\n",
  },
  {
    name: "flow style stays flow style",
    before: "labels: {a: b}\nargs: [one,\n       'two']\n",
    change: (value) => {
      value.labels.c = "d";
      value.args.push("three");
    },
    after: 'labels: {a: b, "c": "d"}\nargs: [one,\n       \'two\', "three"]\n',
  },
  {
    name: "JSON keeps its indentation and its line breaks",
    before: '{\r\n    "a": {\r\n        "b": [ ]\r\n    },\r\n    "z": 1\r\n}\r\n',
    change: (value) => {
      value.a.b = [{ name: "x" }];
      value.a.c = { d: null };
    },
    after:
      '{\r\n    "a": {\r\n        "b": [\r\n            {\r\n                "name": "x"\r\n            }\r\n        ],\r\n        "c": {\r\n            "d": null\r\n        }\r\n    },\r\n    "z": 1\r\n}\r\n',
  },
  {
    name: "dense JSON stays dense",
    before: '{"a":{"b":1},"c":[1,2]}',
    change: (value) => {
      value.a.d = [true];
      value.c = [2];
    },
    after: '{"a":{"b":1,"d":[true]},"c":[2]}',
  },
  {
    name: "keys and entries that go take their lines with them",
    before: "a: 1\n# about b\nb:\n  - x # gone\n  - z\nc: # three\n  d: 1\n",
    change: (value) => {
      value.b = ["z"];
      delete value.c;
    },
    after: "a: 1\n# about b\nb:\n  - z\n",
  },
  {
    name: "Windows line breaks, byte order mark, markers, no line break at the end",
    before: "\uFEFF# about\r\n--- # first\r\na: 1\r\nb:\r\n  - name: x",
    change: (value) => {
      value.a = { c: 2 };
      value.b.push({ name: "z", text: "1\n2\n" });
    },
    after:
      "\uFEFF# about\r\n--- # first\r\na:\r\n  c: 2\r\nb:\r\n  - name: x\r\n  - name: z\r\n    text: |\r\n      1\r\n      2",
  },
  {
    name: "new keys stay in front of an end marker",
    before: "a: 1\n# end\n...\n",
    change: (value) => {
      value.b = 2;
    },
    after: "a: 1\nb: 2\n# end\n...\n",
  },
  {
    name: "a text that cannot be edited in place is written anew, with its markers",
    before: "---\n? a\n: 1\n...\n",
    change: (value) => {
      value.b = { c: [1] };
    },
    after: "---\na: 1\nb:\n  c:\n    - 1\n...\n",
  },
];

describe("editing a text in place", () => {
  for (const { name, before, change, after } of cases) {
    test(name, () => {
      const wanted = changed(before, change);
      const result = sync(before, wanted);
      assert.deepEqual(
        changed(result, () => {}),
        wanted,
      );
      assert.equal(result, after);
    });
  }

  test("__proto__ is a key like any other", () => {
    const wanted = JSON.parse('{"a": 1, "__proto__": {"b": 2}}');
    assert.equal(sync("a: 1\n", wanted), "a: 1\n__proto__:\n  b: 2\n");
  });
});
