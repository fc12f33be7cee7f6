import { asObject, type JsonObject } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { askPatroni } from "../../patroni/rest.ts";
import type { AuditedCluster, AuditedMember } from "../clusters.ts";
import type { Dcs } from "../dcs.ts";
import type { Seen } from "../need.ts";
import type { MemberAnswers } from "../snapshot.ts";
import { type Path, pathsFor } from "./paths.ts";
import { forEach } from "./pool.ts";

/**
 * How members' REST APIs are reached: by the API server's proxy, with the caller's own rights (`pods/proxy`), or, from within the pod
 * network, directly.
 */
export type Way = "proxy" | "direct";

/** A cluster, and what its objects tell of it. */
export interface Case {
  readonly cluster: AuditedCluster;
  readonly dcs: Dcs;
}

/** Asks what the cluster's objects do not tell: with a DCS that is not Kubernetes, everything. */
export async function askMembers(
  connection: KubeConnection,
  cases: readonly Case[],
  way: Way,
): Promise<Map<string, Seen<MemberAnswers>>> {
  const asked = cases.flatMap(({ cluster, dcs }) =>
    cluster.members.map((member) => ({ member, paths: pathsFor(member, cluster, dcs) })),
  );
  const answers = await forEach(
    asked.filter(({ paths }) => paths.length > 0),
    async ({ member, paths }) => [keyOf(member), await ask(connection, member, paths, way)] as const,
  );
  return new Map(answers);
}

const keyOf = ({ facts: { namespace, name } }: AuditedMember): string => `${namespace}/${name}`;

async function ask(
  connection: KubeConnection,
  member: AuditedMember,
  paths: readonly Path[],
  way: Way,
): Promise<Seen<MemberAnswers>> {
  const answers: { -readonly [Key in keyof MemberAnswers]: MemberAnswers[Key] } = {};
  try {
    for (const path of paths) {
      const { body, date } = await (way === "proxy"
        ? byProxy(connection, member, path)
        : directly(member, path));
      if (body !== undefined) answers[path] = body;
      if (path === "patroni") answers.patroniDate = date;
    }
    return { value: answers };
  } catch (error) {
    return { unseen: `${member.facts.name}: ${(error as Error).message}` };
  }
}

interface Answer {
  readonly body: JsonObject | undefined;
  /** The member's own clock. */
  readonly date?: Date | undefined;
}

function byProxy(connection: KubeConnection, { facts }: AuditedMember, path: Path): Promise<Answer> {
  const { patroniScheme, patroniPort } = facts.settings;
  const target = encodeURIComponent(`${patroniScheme}:${facts.name}:${patroniPort}`);
  const pods = `/api/v1/namespaces/${encodeURIComponent(facts.namespace)}/pods`;
  return connection.ask({ method: "GET", path: `${pods}/${target}/proxy/${path}` });
}

/** Its certificate is not verified: what a member says of itself is looked at, and nothing is sent to it. */
async function directly({ facts }: AuditedMember, path: Path): Promise<Answer> {
  const { patroniScheme: scheme, patroniPort: port } = facts.settings;
  if (facts.ip === undefined) throw new Error("it has no address");
  const target = { scheme, host: facts.ip, port, tls: { rejectUnauthorized: false } };
  const { body, date } = await askPatroni(target, `/${path}`);
  return { body: asObject(body), date };
}
