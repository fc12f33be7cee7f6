import { z } from "zod";
import { FAMILIES, FINDINGS, SEVERITIES } from "../../contract/findings.ts";

const CODES = Object.keys(FINDINGS) as [string, ...string[]];

const count = z.int().nonnegative();

const finding = z.object({
  code: z.enum(CODES),
  family: z.enum(FAMILIES),
  severity: z.enum(SEVERITIES),
  object: z.object({ kind: z.string(), namespace: z.string(), name: z.string() }),
  field: z.string().optional().describe("Where in the object."),
  evidence: z.string().describe("What was seen."),
  means: z.string(),
  matters: z.string(),
  remedy: z.string(),
  docs: z.string(),
  fix: z.array(z.looseObject({})).optional().describe("Whole manifests that mend it when they are applied."),
});

const cluster = z.object({
  namespace: z.string(),
  scope: z.string().optional().describe("Left out for what belongs to no cluster that could be named."),
  members: z.array(z.string()),
  findings: z.array(finding).describe("Worst first."),
  unseen: z
    .array(z.object({ codes: z.array(z.enum(CODES)), why: z.string() }))
    .describe("What could not be looked at: neither good nor bad."),
});

const auditMode = z
  .object({
    namespaces: z.array(z.string()).describe("Those in audit mode, of the ones that were audited."),
    groups: z.array(z.object({ namespace: z.string(), reason: z.string(), pods: z.array(z.string()) })),
    since: z
      .record(z.string(), z.string())
      .describe("By replica of `serve` that told: nothing is missing from here on."),
    unread: z
      .array(z.object({ replica: z.string(), why: z.string() }))
      .describe("Replicas that could not be read: what they decided is missing."),
  })
  .describe("What namespaces in audit mode would have got in the last hour, by reason code.");

/** What `audit --output json` prints, as a JSON Schema. */
export const AUDIT_SCHEMA = z.toJSONSchema(
  z.object({
    kind: z.literal("PatroniAudit"),
    version: z.string().describe("Of the program."),
    summary: z.object({ error: count, warning: count, info: count, unseen: count }),
    clusters: z.array(cluster).describe("Worst first."),
    auditMode: auditMode.optional(),
  }),
  { target: "draft-7" },
);
