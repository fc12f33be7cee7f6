import type { Report } from "./report.ts";

/** The report for people. */
export function textOf({ trusted, problems, served, entries, authorities, rotation, clock }: Report): string {
  const rows: [string, string][] = [
    ["Served", `${served.subject}, by ${served.issuer}`],
    ["", served.names.join(", ")],
    ["", `valid ${served.notBefore} to ${served.notAfter}`],
    ["", `SHA-256 ${served.fingerprint}`],
    ...entries.map(({ name, serverName, problem }): [string, string] => [
      "Entry",
      `${name}: ${problem === null ? "accepts it" : "REFUSES it"} for ${serverName}`,
    ]),
    ...authorities.map((authority): [string, string] => [
      "Authority",
      [
        `${authority.subject}, valid to ${authority.notAfter}`,
        authority.inEveryBundle ? "in every caBundle" : "NOT in every caBundle",
        ...(authority.signedServed ? ["signed what is served"] : []),
      ].join("; "),
    ]),
    ["Rotation", rotationText(rotation)],
    ["Clock", `API server ${clock.apiServer}; this machine is ${clock.localAheadSeconds} s ahead`],
    ["Verdict", trusted ? "trusted" : `BROKEN: ${problems.join("; ")}`],
  ];
  return rows.map(([what, text]) => `${what.padEnd(11)}${text}\n`).join("");
}

function rotationText({ source, leafAt, authorityAt, upToDate }: Report["rotation"]): string {
  if (source !== "self") return `by others (${source}); a new certificate is taken up within a minute`;
  const behind =
    upToDate === true ? "" : "; a newer certificate than this is there, to be taken up within a minute";
  return `certificate after ${leafAt ?? "now"}, authority after ${authorityAt ?? "now"}${behind}`;
}
