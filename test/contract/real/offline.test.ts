import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { inject } from "../../component/offline/run.ts";
import { manifestPath, manifests } from "../../fixtures/index.ts";
import { kubectl } from "./kubectl.ts";

/** The forms of the sidecar: which one the cluster can bear is not known offline. */
const FORMS = { container: "{}", native: "sidecar: {native: true}" };

/** All namespaces that the manifests name. */
const NAMESPACES = ["media", "nature"];

let plane: ControlPlane;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-contract-"));
  plane = await startControlPlane();
  for (const namespace of NAMESPACES) await prepareNamespace(plane.api, namespace);
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  await plane.api.request("POST", accounts, { metadata: { name: "default" } });
  for (const [form, text] of Object.entries(FORMS)) await writeFile(join(folder, form), text);
});
after(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true });
});

/** The objects of a stream, those in a List too. */
function objectsOf(stream: string): JsonObject[] {
  const flat = (object: JsonObject): JsonObject[] =>
    object.kind === "List" ? objectsIn(object.items).flatMap(flat) : [object];
  return parseAllDocuments(stream).flatMap((document) => objectsIn([document.toJS()]).flatMap(flat));
}

/** Of a kind that the API server has without any definition. */
const isBuiltIn = ({ apiVersion }: JsonObject): boolean =>
  /^(v1|(apps|batch|policy)\/v1|[a-z.]+\.k8s\.io\/v1)$/.test(String(apiVersion));

/** As kubectl prints what it did: `service/pg serverside-applied (server dry run)`. */
const lineOf = ({ kind, metadata }: JsonObject): RegExp => {
  const name = at(metadata, "name") ?? `${at(metadata, "generateName")}[a-z0-9]{5}`;
  return new RegExp(
    `^${String(kind).toLowerCase()}[a-z0-9.]*/${name} (created|configured) \\(server dry run\\)$`,
    "m",
  );
};

/** What has no name yet cannot be applied, only created. */
const verbFor = (objects: readonly JsonObject[]) =>
  objects.some(({ metadata }) => at(metadata, "generateName")) ? "create" : "apply";

const dryRun = (verb: string, stream: string) =>
  kubectl(plane, [verb, "--dry-run=server", "-f", "-"], stream);

/** Manifests that kubectl itself does not read, and its words. */
const UNREADABLE: Readonly<Record<string, RegExp>> = {
  "list.yaml": /is not a list: no Items field/,
  "mixed.yaml": /found incompatible YAML document/,
};

/** What kubectl says of the custom resources, whose definitions are not there, and of an empty stream. */
const BESIDE_THE_POINT = /no matches for kind|ensure CRDs are installed first|no objects passed/;

describe("what `inject` prints is what kubectl sends and the API server accepts", () => {
  for (const { file, describes } of manifests.filter(({ exit }) => exit === 0)) {
    for (const form of Object.keys(FORMS)) {
      test(`${file}, as ${form}: ${describes}`, async () => {
        const { code, stdout: injected } = await inject([
          "-f",
          manifestPath(file),
          "--config",
          join(folder, form),
        ]);
        assert.equal(code, 0);
        const objects = objectsOf(injected);
        const unreadable = UNREADABLE[file];
        if (unreadable !== undefined) {
          const original = await readFile(manifestPath(file), "utf8");
          for (const text of [original, injected])
            assert.match((await dryRun("apply", text)).stderr, unreadable);
        }
        const stream =
          unreadable === undefined ? injected : objects.map((one) => JSON.stringify(one)).join("\n");
        const { stdout, stderr } = await dryRun(verbFor(objects), stream);
        for (const object of objects.filter(isBuiltIn)) assert.match(stdout, lineOf(object), stderr);
        const complaints = stderr.split("\n").filter((line) => line !== "" && !BESIDE_THE_POINT.test(line));
        assert.deepEqual(complaints, []);
      });
    }
  }
});
