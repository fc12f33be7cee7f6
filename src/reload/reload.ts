import { RELOAD_PORT } from "../contract/ports.ts";
import { RELOAD_STATUS_PATH, reloadPath } from "../contract/reload.ts";
import { asString, at, objectsIn } from "../json/value.ts";
import type { KubeConnection } from "../kube/connection.ts";
import type { OpenPort } from "../kube/port-forward.ts";
import { type Access, callPod, type PodAnswer } from "../reload-api/call.ts";
import type { Arguments } from "./arguments.ts";
import { authorityOf, tokenFor } from "./credentials.ts";
import { type Member, membersOf } from "./members.ts";

/** The way there and the answer's way back, beside what the pod may take. Milliseconds. */
const SLACK_MS = 10_000;

export interface ReloadTools {
  readonly kube: Pick<KubeConnection, "send">;
  readonly openPort: OpenPort;
  /** One line of progress. */
  say(line: string): void;
}

/** How a member stands at the end. */
export interface Row {
  readonly member: string;
  readonly role: "primary" | "replica" | "";
  /** The version that it was last proven to run; undefined where that is not known. */
  readonly version: number | undefined;
  readonly result: string;
  readonly proven: boolean;
}

/** Asks one member after the other, the primary last, to the first that fails. Throws where nobody can be asked. */
export async function reload(wanted: Arguments, tools: ReloadTools): Promise<readonly Row[]> {
  const members = await membersOf(tools.kube, wanted);
  const rows: Row[] = [];
  for (const member of members) {
    const failed = rows.some(({ proven }) => !proven);
    rows.push(failed ? await passedOver(member, wanted, tools) : await reloadMember(member, wanted, tools));
  }
  return rows;
}

async function reloadMember(member: Member, wanted: Arguments, tools: ReloadTools): Promise<Row> {
  const { component, version, timeoutSeconds } = wanted;
  tools.say(`${member.name}: waits for version ${version} of ${component}, up to ${timeoutSeconds} s`);
  let row: Row;
  let unverified = "";
  try {
    const access = await accessTo(member, wanted, tools);
    const answer = await callPod(
      access,
      reloadPath(component),
      { version, timeoutSeconds },
      timeoutSeconds * 1000 + SLACK_MS,
    );
    row = rowOf(member, wanted, answer);
    unverified = listed(answer.body.unverified, "; ");
  } catch (error) {
    row = {
      ...named(member, wanted),
      version: undefined,
      result: `not asked: ${(error as Error).message}`,
      proven: false,
    };
  }
  tools.say(`${member.name}: ${row.result}`);
  if (unverified !== "") tools.say(`${member.name}: not verified: ${unverified}`);
  return row;
}

function rowOf(member: Member, wanted: Arguments, { status, body }: PodAnswer): Row {
  const version = typeof body.appliedVersion === "number" ? body.appliedVersion : undefined;
  // Taken at its word only where it is the word that was asked for.
  const proven = status === 200 && version !== undefined && version >= wanted.version;
  const result = proven ? provenInWords(body) : problemInWords(status, body);
  return { ...named(member, wanted), version, result, proven };
}

function provenInWords(body: PodAnswer["body"]): string {
  const pending = listed(body.pendingRestart, ", ");
  return `proven (${asString(body.proof) ?? "?"})${pending === "" ? "" : `; waits for a restart: ${pending}`}`;
}

const listed = (value: unknown, separator: string): string =>
  Array.isArray(value) ? value.join(separator) : "";

function problemInWords(status: number, body: PodAnswer["body"]): string {
  const problem = asString(body.type)?.split("/").at(-1) ?? "no problem of ours";
  const errors = objectsIn(body.errors).map(({ file, line, message }) =>
    [file, line, message].filter((part) => part !== undefined).join(":"),
  );
  return [`${problem} (${status}): ${asString(body.detail) ?? "no detail"}`, ...errors].join("; ");
}

/** A member that is not asked after a failure: only what it runs is looked at. */
async function passedOver(member: Member, wanted: Arguments, tools: ReloadTools): Promise<Row> {
  const version = await runningVersion(member, wanted, tools).catch(() => undefined);
  return { ...named(member, wanted), version, result: "not asked", proven: false };
}

async function runningVersion(
  member: Member,
  wanted: Arguments,
  tools: ReloadTools,
): Promise<number | undefined> {
  const access = await accessTo(member, wanted, tools);
  const { body } = await callPod(access, RELOAD_STATUS_PATH, undefined, SLACK_MS);
  const version = at(body, wanted.component, "appliedVersion");
  return typeof version === "number" ? version : undefined;
}

async function accessTo(member: Member, wanted: Arguments, { kube, openPort }: ReloadTools): Promise<Access> {
  const ca = await authorityOf(kube, wanted, member);
  const token = await tokenFor(kube, wanted);
  return {
    open: () => openPort(wanted.namespace, member.name, RELOAD_PORT),
    dnsName: member.dnsName,
    ca,
    token,
  };
}

const named = ({ name, isPrimary }: Member, { target }: Arguments): Pick<Row, "member" | "role"> => ({
  member: name,
  role: target.kind === "pod" ? "" : isPrimary ? "primary" : "replica",
});
