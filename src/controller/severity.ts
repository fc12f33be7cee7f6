import { FINDINGS, type FindingCode, type Severity } from "../contract/findings.ts";
import type { Finding } from "./view.ts";

type Reason = Finding["reason"];

/** Of what only the controller tells. Where an audit has a code of the same word, its severity counts. */
const OWN: Readonly<Record<Exclude<Reason, FindingCode>, Severity>> = {
  "headless-unfit": "error",
  "settings-differ": "error",
  "term-refused": "error",
  "service-taking-over": "info",
  "sidecar-outdated": "warning",
  "sidecar-suspended": "warning",
  unobservable: "warning",
  "repair-stopped": "warning",
  "reload-certificate": "warning",
  "reload-failed": "warning",
};

/** As an audit would rate it. */
export const severityOf = (reason: Reason): Severity =>
  isCode(reason) ? FINDINGS[reason].severity : OWN[reason];

const isCode = (reason: Reason): reason is Extract<Reason, FindingCode> => Object.hasOwn(FINDINGS, reason);
