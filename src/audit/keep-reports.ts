import { FIELD_MANAGER, MANAGED_BY_LABEL } from "../contract/names.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";
import { KubeError } from "../kube/error.ts";

const PREFIX = "/apis/wgpolicyk8s.io/v1alpha2";
const PAGE = "100";

/**
 * Writes PolicyReports by server-side apply: those of this tool are its own, whole. Then removes those of its own for clusters that are
 * gone.
 *
 * @param whole the namespaces of which these are all reports; all of them where it is undefined
 */
export async function keepReports(
  connection: KubeConnection,
  reports: readonly JsonObject[],
  whole: readonly string[] | undefined,
): Promise<void> {
  for (const report of reports) {
    await connection.send({
      method: "PATCH",
      path: pathOf(report),
      query: { fieldManager: FIELD_MANAGER, force: "true" },
      contentType: "application/apply-patch+yaml",
      body: report,
    });
  }
  const kept = new Set(reports.map(pathOf));
  const places = whole?.map((name) => `/namespaces/${encodeURIComponent(name)}`) ?? [""];
  for (const place of places) {
    const own = await ownReports(connection, `${PREFIX}${place}/policyreports`);
    for (const report of own.filter((each) => !kept.has(pathOf(each)))) await remove(connection, report);
  }
}

/** The selector is only a wish: what does not carry the label is never ours. */
async function ownReports(connection: KubeConnection, path: string): Promise<JsonObject[]> {
  const own: JsonObject[] = [];
  let next: string | undefined;
  do {
    const query = {
      labelSelector: `${MANAGED_BY_LABEL}=${FIELD_MANAGER}`,
      limit: PAGE,
      ...(next === undefined ? {} : { continue: next }),
    };
    const page = await connection.send({ method: "GET", path, query });
    for (const { metadata } of objectsIn(page.items))
      if (at(metadata, "labels", MANAGED_BY_LABEL) === FIELD_MANAGER) own.push({ metadata: metadata ?? {} });
    next = asString(at(page, "metadata", "continue")) || undefined;
  } while (next !== undefined);
  return own;
}

async function remove(connection: KubeConnection, report: JsonObject): Promise<void> {
  const uid = asString(at(report, "metadata", "uid")) ?? "";
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid } };
  try {
    await connection.send({ method: "DELETE", path: pathOf(report), body });
  } catch (error) {
    // Somebody was faster, or has made another one since.
    const isElse = error instanceof KubeError && (error.code === 404 || error.code === 409);
    if (!isElse) throw error;
  }
}

function pathOf(report: JsonObject): string {
  const [namespace = "", name = ""] = ["namespace", "name"].map((key) =>
    asString(at(report, "metadata", key)),
  );
  return `${PREFIX}/namespaces/${encodeURIComponent(namespace)}/policyreports/${encodeURIComponent(name)}`;
}
