import { FIELD_MANAGER } from "../contract/names.ts";
import { asString, at, type JsonObject } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";

const PREFIX = "/apis/wgpolicyk8s.io/v1alpha2";

/** Writes PolicyReports by server-side apply: those of this tool are its own, whole. */
export async function keepReports(connection: KubeConnection, reports: readonly JsonObject[]): Promise<void> {
  for (const report of reports) {
    const [namespace = "", name = ""] = ["namespace", "name"].map((key) =>
      asString(at(report, "metadata", key)),
    );
    await connection.send({
      method: "PATCH",
      path: `${PREFIX}/namespaces/${encodeURIComponent(namespace)}/policyreports/${encodeURIComponent(name)}`,
      query: { fieldManager: FIELD_MANAGER, force: "true" },
      contentType: "application/apply-patch+yaml",
      body: report,
    });
  }
}
