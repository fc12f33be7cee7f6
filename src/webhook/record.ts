import { REASONS } from "../contract/reasons.ts";
import type { ReviewRecord } from "../injection/review.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Counts a review and writes its one log line: debug where nothing happened that anyone would look for. */
export function recordReview(
  record: ReviewRecord,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): void {
  const { uid, namespace, name, mode, dryRun, decision, reason, notes } = record;
  metrics.admissionReviews.inc({ mode, decision, reason, dry_run: dryRun ? "true" : "false" });
  for (const note of notes) metrics.admissionNotes.inc({ reason: note.reason });

  const level = levelOf(record);
  if (!logger.isLevelEnabled(level)) return;
  const line: Record<string, unknown> = { uid, namespace, name, mode, decision, reason };
  if (dryRun) line.dryRun = true;
  if (record.applied.length > 0) line.applied = record.applied;
  if (record.patchOperations > 0) line.patchOperations = record.patchOperations;
  if (notes.length > 0) line.notes = notes;
  if (record.error !== undefined) line.err = record.error;
  logger[level](line, "review");
}

function levelOf({ decision, reason, notes }: ReviewRecord): "error" | "info" | "debug" {
  if (decision === "error") return "error";
  if (decision === "deny" || reason === "injected" || REASONS[reason].warn || notes.length > 0) return "info";
  return "debug";
}
