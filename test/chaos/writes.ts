import type { AuditEntry } from "../../demo/kube-api/audit.ts";
import { CONTROLLER_USER } from "./controller.ts";

/**
 * Every write of the slice must follow a read of it by the same writer, since that writer's last write: a write without a read
 * would rest on an observation made before who knows what.
 */
export function unreadWrites(entries: readonly AuditEntry[]): string[] {
  const hasRead = new Map<string, boolean>();
  const unread: string[] = [];
  for (const { user, verb, resource, namespace, code } of entries) {
    if (resource !== "endpointslices.discovery.k8s.io") continue;
    // The controller mends and writes for members at the same time: of two that have read, the second is refused.
    if (user === CONTROLLER_USER && code === 409) continue;
    const writer = `${namespace}/${user}`;
    if (verb === "get") hasRead.set(writer, true);
    if (verb !== "update") continue;
    if (hasRead.get(writer) !== true) unread.push(`${writer} wrote without having read`);
    hasRead.set(writer, false);
  }
  return unread;
}
