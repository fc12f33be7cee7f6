import { FAMILIES, FINDINGS, type FindingCode, type Severity } from "../../contract/findings.ts";
import { VERSION } from "../../contract/version.ts";
import type { JsonObject } from "../../json/value.ts";
import type { AuditReport } from "../audit.ts";
import { type AuditMode, type AuditModeGroup, wouldBe } from "../audit-mode.ts";
import type { Finding } from "../finding.ts";
import { allFindings, docsOf, nameOfObject } from "./document.ts";

/** Where an object stands in a file that was read. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export type Locate = (finding: Finding) => Place | undefined;

const LEVELS: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "note" };

const CODES = Object.keys(FINDINGS) as FindingCode[];

/** The rule of what pods in namespaces in audit mode would have got: no finding, but what viewers of results must show. */
const AUDIT_MODE = "audit-mode";

/** SARIF 2.1.0 (OASIS), for code scanning. A finding that stands in no file is placed by the name of its object. */
export function sarifOf(report: AuditReport, locate: Locate): JsonObject {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "patroni-injector",
            semanticVersion: VERSION,
            rules: [...CODES.map(rule), AUDIT_MODE_RULE],
          },
        },
        taxonomies: [{ name: "family", taxa: FAMILIES.map((id) => ({ id, name: id })) }],
        results: [
          ...allFindings(report).map((finding) => result(finding, locate(finding))),
          ...(report.auditMode?.groups ?? []).map(auditModeResult),
        ],
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [
              ...report.clusters.flatMap(({ unseen }) =>
                unseen.map(({ why, codes }) => notSeen(`${why} (${codes.join(", ")})`)),
              ),
              ...auditModeNotifications(report.auditMode),
            ],
          },
        ],
      },
    ],
  };
}

const notification = (level: "note" | "warning", text: string): JsonObject => ({ level, message: { text } });

const notSeen = (what: string): JsonObject => notification("warning", `could not be looked at: ${what}`);

/** Who told, from when on nothing is missing, and who could not be read. */
const auditModeNotifications = (mode: AuditMode | undefined): JsonObject[] => [
  ...Object.entries(mode?.since ?? {}).map(([replica, since]) =>
    notification("note", `${replica} remembers pods of namespaces in audit mode since ${since}`),
  ),
  ...(mode?.unread ?? []).map(({ replica, why }) => notSeen(`${replica}: ${why} (${AUDIT_MODE})`)),
];

const AUDIT_MODE_RULE: JsonObject = {
  id: AUDIT_MODE,
  shortDescription: { text: "Pods of a namespace in audit mode would have been injected, or left alone." },
  fullDescription: { text: "By reason, in the last hour. In audit mode nothing is changed." },
  help: { text: "Label the namespace `enabled` where it is as you wish. See docs/reference/reasons.md." },
  defaultConfiguration: { level: "note" },
};

function auditModeResult(group: AuditModeGroup): JsonObject {
  const { namespace, reason, pods } = group;
  return {
    ruleId: AUDIT_MODE,
    ruleIndex: CODES.length,
    level: "note",
    message: { text: `Namespace ${namespace}: ${wouldBe(group)}: ${pods.join(", ")}` },
    locations: [
      {
        logicalLocations: [{ kind: "object", name: namespace, fullyQualifiedName: `Namespace ${namespace}` }],
      },
    ],
    partialFingerprints: { "object/v1": [AUDIT_MODE, namespace, reason].join("/") },
  };
}

function rule(id: FindingCode): JsonObject {
  const { family, severity, means, matters, remedy } = FINDINGS[id];
  return {
    id,
    shortDescription: { text: means },
    fullDescription: { text: matters },
    help: { text: `${remedy} See ${docsOf(id)}.` },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: [family] },
  };
}

function result(finding: Finding, place: Place | undefined): JsonObject {
  const { code, object, field, evidence } = finding;
  const physicalLocation = place && {
    artifactLocation: { uri: encodeURI(place.file) },
    region: { startLine: place.line },
  };
  return {
    ruleId: code,
    ruleIndex: CODES.indexOf(code),
    level: LEVELS[FINDINGS[code].severity],
    message: { text: `${nameOfObject(finding)}: ${evidence}` },
    locations: [
      {
        ...(physicalLocation === undefined ? {} : { physicalLocation }),
        logicalLocations: [
          {
            kind: "object",
            name: object.name,
            fullyQualifiedName: [nameOfObject(finding), field ?? []].flat().join(": "),
          },
        ],
      },
    ],
    partialFingerprints: {
      "object/v1": [code, object.kind, object.namespace, object.name, field ?? ""].join("/"),
    },
  };
}
