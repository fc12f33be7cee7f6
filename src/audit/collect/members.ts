import { asObject, type JsonObject } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { askPatroni } from "../../patroni/rest.ts";
import type { AuditedCluster, AuditedMember } from "../clusters.ts";
import type { Seen } from "../need.ts";
import type { MemberAnswers } from "../snapshot.ts";
import { forEach } from "./pool.ts";

/**
 * How members' REST APIs are reached: by the API server's proxy, with the caller's own rights (`pods/proxy`), or, from within the pod
 * network, directly.
 */
export type Way = "proxy" | "direct";

type Path = keyof MemberAnswers;

/** Asks what the cluster's objects do not tell: with a DCS that is not Kubernetes, everything. */
export async function askMembers(
  connection: KubeConnection,
  clusters: readonly AuditedCluster[],
  way: Way,
): Promise<Map<string, Seen<MemberAnswers>>> {
  const asked = clusters.flatMap((cluster) =>
    cluster.members.map((member) => ({ member, paths: pathsFor(cluster, member) })),
  );
  const answers = await forEach(
    asked.filter(({ paths }) => paths.length > 0),
    async ({ member, paths }) => [keyOf(member), await ask(connection, member, paths, way)] as const,
  );
  return new Map(answers);
}

/** With Kubernetes as DCS a member is asked only where two of them claim to lead: what they wrote may be old. */
function pathsFor({ settings, members }: AuditedCluster, { statement }: AuditedMember): readonly Path[] {
  if (settings.leaderObject === undefined) return ["patroni", "cluster", "config"];
  const claiming = members.filter((member) => member.statement?.leads);
  return claiming.length > 1 && statement?.leads ? ["patroni"] : [];
}

const keyOf = ({ facts: { namespace, name } }: AuditedMember): string => `${namespace}/${name}`;

async function ask(
  connection: KubeConnection,
  member: AuditedMember,
  paths: readonly Path[],
  way: Way,
): Promise<Seen<MemberAnswers>> {
  const answers: Partial<Record<Path, JsonObject>> = {};
  try {
    for (const path of paths) {
      const answer = await (way === "proxy" ? byProxy(connection, member, path) : directly(member, path));
      if (answer !== undefined) answers[path] = answer;
    }
    return { value: answers };
  } catch (error) {
    return { unseen: `${member.facts.name}: ${(error as Error).message}` };
  }
}

function byProxy(connection: KubeConnection, { facts }: AuditedMember, path: Path): Promise<JsonObject> {
  const { patroniScheme, patroniPort } = facts.settings;
  const target = encodeURIComponent(`${patroniScheme}:${facts.name}:${patroniPort}`);
  const pods = `/api/v1/namespaces/${encodeURIComponent(facts.namespace)}/pods`;
  return connection.send({ method: "GET", path: `${pods}/${target}/proxy/${path}` });
}

/** Its certificate is not verified: what a member says of itself is looked at, and nothing is sent to it. */
async function directly({ facts }: AuditedMember, path: Path): Promise<JsonObject | undefined> {
  const { patroniScheme: scheme, patroniPort: port } = facts.settings;
  if (facts.ip === undefined) throw new Error("it has no address");
  const { body } = await askPatroni(
    { scheme, host: facts.ip, port, tls: { rejectUnauthorized: false } },
    `/${path}`,
  );
  return asObject(body);
}
