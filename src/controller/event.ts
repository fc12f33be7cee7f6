import { createHash } from "node:crypto";
import { MANAGED_BY } from "../contract/names.ts";
import { REASONS } from "../contract/reasons.ts";
import type { JsonObject } from "../json/value.ts";
import type { ObjectReference } from "./facts/pod.ts";
import { microTime } from "./micro-time.ts";
import { typeOf } from "./resources.ts";
import type { Finding } from "./view.ts";

/** The API server refuses a longer one. */
const LONGEST_NOTE = 1024;

const REPORTER = `${MANAGED_BY}.io/controller`;

/**
 * An Event (events.k8s.io/v1) that tells of a finding, on what owns the cluster's pods. The same finding on the same object gives
 * the same name, so that it is told once, whoever tells it.
 *
 * @param key what makes it the same finding; default: its detail
 */
export function eventOf(
  { reason, detail }: Finding,
  regarding: ObjectReference & { readonly namespace: string },
  reportingInstance: string,
  now: Date,
  key = detail,
): JsonObject {
  const { namespace, name, uid } = regarding;
  const digest = createHash("sha256").update(`${uid} ${reason} ${key}`).digest("hex").slice(0, 16);
  const { means, remedy } = REASONS[reason];
  const note = [detail, means, remedy].filter((text) => text !== "").join(" — ");
  return {
    ...typeOf("events"),
    metadata: { namespace, name: `${name}.${digest}` },
    eventTime: microTime(now),
    type: "Warning",
    reason,
    action: "Reconcile",
    note: note.length <= LONGEST_NOTE ? note : `${note.slice(0, LONGEST_NOTE - 1)}…`,
    regarding: { ...regarding },
    reportingController: REPORTER,
    reportingInstance,
  };
}
