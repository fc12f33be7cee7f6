import { at } from "../../json/value.ts";
import { replicationExcerpt } from "../../patroni/replication-excerpt.ts";
import { type Check, forCluster, type Seeing } from "../check.ts";
import { type AuditedCluster, clusterRef } from "../clusters.ts";
import { refTo } from "../finding.ts";
import { configMapsOf } from "../hba/config-maps.ts";
import { localConfiguration } from "../hba/local.ts";
import { type Dynamic, dynamicOfNew, rulesOf } from "../hba/rules.ts";
import { replicationUser } from "../hba/user.ts";
import { need } from "../need.ts";
import { replicationVerdict, type Standby } from "../pg-hba.ts";
import type { Snapshot } from "../snapshot.ts";
import { type PodTemplate, podTemplates } from "../templates.ts";

/** Each member must let each other in: any of them may lead next. */
export const replicationRules: Check = forCluster(
  ["pg-hba-replication"],
  function* (cluster, { dcs, snapshot }): Seeing {
    const configMaps = configMapsOf(snapshot, cluster.namespace);
    const read = remembering(replicationExcerpt);
    const servers = serversOf(cluster, snapshot).map((server) => ({
      ...server,
      local: localConfiguration(server, configMaps, read),
    }));
    const stored = (): Dynamic => ({
      configuration: need(dcs.config),
      name: "the dynamic configuration",
      place: undefined,
      isNew: false,
    });
    for (const { local } of servers) {
      if ("unseen" in local) {
        yield { unseen: local.unseen };
        continue;
      }
      const rules = rulesOf(local.value, snapshot.live ? stored() : dynamicOfNew(local.value));
      if ("unseen" in rules) {
        yield { unseen: rules.unseen };
        continue;
      }
      const { lines, from, place } = rules.value;
      for (const standby of servers) {
        const user = "unseen" in standby.local ? undefined : replicationUser(standby.local.value);
        const verdict = replicationVerdict(lines, { user, ip: standby.ip });
        const who = `${user ?? "a replication user"} from ${standby.from}`;
        if (verdict === "unknown") yield { unseen: `whether ${from} lets in ${who} cannot be told` };
        if (verdict === "no-rule" || verdict === "rejected") {
          const said = verdict === "rejected" ? `a rule rejects ${who}` : `no rule fits ${who}`;
          yield {
            code: "pg-hba-replication",
            object: place?.object ?? clusterRef(cluster),
            field: place?.field ?? "postgresql.pg_hba",
            evidence: `${said} (${from})`,
          };
          return;
        }
      }
    }
  },
);

function remembering<Value>(work: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>();
  return (text) => {
    const value = known.get(text) ?? work(text);
    known.set(text, value);
    return value;
  };
}

interface Server extends PodTemplate {
  readonly ip: Standby["ip"];
  /** Whence it connects, in words. */
  readonly from: string;
}

/** Members that have an address. Before there is one, what members are made of: each stands for the others too. */
function serversOf(cluster: AuditedCluster, snapshot: Snapshot): Server[] {
  if (snapshot.live && cluster.members.length > 0)
    return cluster.members.flatMap(({ pod, facts: { ip, name } }) =>
      ip === undefined ? [] : [{ pod, object: refTo(pod, "Pod"), path: "", ip, from: `${ip} (${name})` }],
    );
  return podTemplates(cluster).map((template) => ({
    ...template,
    ip: undefined,
    from: `another member of ${at(template.object, "name")}`,
  }));
}
