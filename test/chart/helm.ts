import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import type { JsonObject } from "../../src/json/value.ts";
import { ensureBinaries } from "../cluster/build.ts";
import { CHART } from "./chart.ts";

export interface Release {
  readonly name?: string;
  readonly namespace?: string;
  readonly values?: JsonObject;
  /** API versions that the cluster is said to serve, beside Kubernetes' own. */
  readonly apiVersions?: readonly string[];
}

export const RELEASE = { name: "patroni-injector", namespace: "injector" } as const;

/** The objects that `helm template` makes. Rejects with what Helm says. */
export async function rendered(release: Release = {}): Promise<JsonObject[]> {
  const { name = RELEASE.name, namespace = RELEASE.namespace, values = {}, apiVersions = [] } = release;
  const further = apiVersions.flatMap((version) => ["--api-versions", version]);
  const text = await withValues(values, (file) =>
    helm(["template", name, CHART, "--namespace", namespace, "--values", file, ...further]),
  );
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const object = document.toJS() as JsonObject | null;
    return object === null ? [] : [object];
  });
}

/** What `helm lint --strict` says. Rejects where it finds fault. */
export const lint = (values: JsonObject): Promise<string> =>
  withValues(values, (file) => helm(["lint", "--strict", CHART, "--values", file]));

/** The objects of a kind. */
export const ofKind = (objects: readonly JsonObject[], kind: string): JsonObject[] =>
  objects.filter((object) => object.kind === kind);

/** The one object of a kind. */
export function theOnly(objects: readonly JsonObject[], kind: string): JsonObject {
  const [object, ...others] = ofKind(objects, kind);
  if (object === undefined || others.length > 0) throw new Error(`${others.length + 1} or no ${kind}`);
  return object;
}

async function withValues(values: JsonObject, run: (file: string) => Promise<string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "patroni-injector-chart-"));
  try {
    const file = join(folder, "values.json");
    await writeFile(file, JSON.stringify(values));
    return await run(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** `helm install`, or `helm upgrade` to these values and no others, without waiting for pods. */
export const released = (
  verb: "install" | "upgrade",
  kubeconfig: string,
  values: JsonObject,
): Promise<string> =>
  withValues(values, (file) => {
    const place = ["--namespace", RELEASE.namespace, "--kubeconfig", kubeconfig];
    // Without it Helm takes empty values for those of the release before.
    if (verb === "upgrade") place.push("--reset-values");
    return helm([verb, RELEASE.name, CHART, ...place, "--values", file]);
  });

export const uninstalled = (kubeconfig: string): Promise<string> =>
  helm(["uninstall", RELEASE.name, "--namespace", RELEASE.namespace, "--kubeconfig", kubeconfig]);

async function helm(args: readonly string[]): Promise<string> {
  const { helm: binary } = await ensureBinaries(["helm"]);
  const { stdout } = await promisify(execFile)(binary, [...args], { maxBuffer: 1 << 24 });
  return stdout;
}
