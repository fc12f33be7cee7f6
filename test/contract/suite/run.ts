import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { newAuthority } from "../../cluster/authority.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import type { ApiServerUnderTest } from "../api-server.ts";
import { ADMISSION_ANSWER } from "./admission-answer.ts";
import { ADMISSION_FAILURE } from "./admission-failure.ts";
import { ADMISSION_ORDER } from "./admission-order.ts";
import { ADMISSION_REQUEST } from "./admission-request.ts";
import type { Case, Cases, Context } from "./context.ts";
import { CREATE } from "./create.ts";
import { DELETE } from "./delete.ts";
import { DIFFERENCES, type Difference } from "./differences.ts";
import { EVICTION } from "./eviction.ts";
import { LIST } from "./list.ts";
import { PATCHES } from "./patch.ts";
import { UPDATE } from "./update.ts";
import { WATCH } from "./watch.ts";

const SUITE: Readonly<Record<string, Cases>> = {
  create: CREATE,
  update: UPDATE,
  delete: DELETE,
  eviction: EVICTION,
  list: LIST,
  watch: WATCH,
  patch: PATCHES,
  "admission request": ADMISSION_REQUEST,
  "admission order": ADMISSION_ORDER,
  "admission answer": ADMISSION_ANSWER,
  "admission failure": ADMISSION_FAILURE,
};

/** Runs every case against one server, each in a namespace of its own. */
export function runSuite(start: () => Promise<ApiServerUnderTest>): void {
  let server: ApiServerUnderTest;
  let serving: Context["serving"];
  const met = new Set<Difference>();

  before(async () => {
    [server, serving] = await Promise.all([start(), issueServing()]);
  });
  after(() => server?.stop());

  for (const [subject, cases] of Object.entries(SUITE)) {
    describe(subject, () => {
      for (const [index, [name, its]] of Object.entries(cases).entries()) {
        test(name, (t) => run(t, its, `${subject.replaceAll(" ", "-")}-${index}`));
      }
    });
  }

  test("every known difference is still there", () => {
    assert.deepEqual([...met].sort(), Object.keys(DIFFERENCES).sort());
  });

  async function run(t: TestContext, its: Case, namespace: string): Promise<void> {
    await prepareNamespace(server, namespace);
    const { request } = server;
    const context: Context = {
      server,
      namespace,
      serving,
      request,
      async must(status, method, path, body, type) {
        const answer = await request(method, path, body, type === undefined ? {} : { "content-type": type });
        assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
        return answer.body as JsonObject;
      },
      differs(difference, expected) {
        assert.notDeepEqual(expected.real, expected.embedded);
        met.add(difference);
        return expected[server.name];
      },
      after: (end) => t.after(end),
    };
    await its(context);
  }
}

async function issueServing(): Promise<Context["serving"]> {
  const authority = await newAuthority("webhooks of the suite");
  return { authorityPem: authority.certPem, ...(await authority.issueServer(["127.0.0.1"])) };
}
