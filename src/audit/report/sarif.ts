import { FAMILIES, FINDINGS, type FindingCode, type Severity } from "../../contract/findings.ts";
import { VERSION } from "../../contract/version.ts";
import type { JsonObject } from "../../json/value.ts";
import type { AuditReport } from "../audit.ts";
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

/** SARIF 2.1.0 (OASIS), for code scanning. A finding that stands in no file is placed by the name of its object. */
export function sarifOf(report: AuditReport, locate: Locate): JsonObject {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "patroni-injector", semanticVersion: VERSION, rules: CODES.map(rule) } },
        taxonomies: [{ name: "family", taxa: FAMILIES.map((id) => ({ id, name: id })) }],
        results: allFindings(report).map((finding) => result(finding, locate(finding))),
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: report.clusters.flatMap(({ unseen }) =>
              unseen.map(({ why, codes }) => ({
                level: "warning",
                message: { text: `could not be looked at: ${why} (${codes.join(", ")})` },
              })),
            ),
          },
        ],
      },
    ],
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
