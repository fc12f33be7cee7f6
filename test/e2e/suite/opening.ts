import assert from "node:assert/strict";
import { it } from "node:test";
import { SIDECAR_CONTAINER } from "../../../src/contract/names.ts";
import { asString, at, objectsIn } from "../../../src/json/value.ts";
import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";

/** What a cluster is like that was applied to a namespace which opted in. */
export function describeOpening(get: () => Deployed): void {
  it("has the sidecar in each pod, and it runs", async () => {
    for (const { name, object } of await get().members.pods()) {
      const statuses = ["containerStatuses", "initContainerStatuses"].flatMap((list) =>
        objectsIn(at(object, "status", list)),
      );
      const sidecar = statuses.find((status) => status.name === SIDECAR_CONTAINER);
      assert.ok(at(sidecar, "state", "running"), `${name}: ${JSON.stringify(sidecar)}`);
    }
  });

  it("announces DNS names: conn_url, and what patronictl shows", async () => {
    const { members, form } = get();
    const pods = await members.pods();
    const [first] = pods;
    assert.ok(first);
    for (const { name, host } of await members.list(first.name)) assert.equal(host, dnsName(get(), name));
    if (form.dcs === "etcd") return; // Patroni writes nothing to its pods there
    for (const { name, object } of pods) {
      const status: unknown = JSON.parse(asString(at(object, "metadata", "annotations", "status")) ?? "{}");
      assert.equal(at(status, "conn_url"), `postgres://${dnsName(get(), name)}:5432/postgres`);
      assert.equal(at(status, "api_url"), `http://${dnsName(get(), name)}:8008/patroni`);
    }
  });

  it("streams from the primary's DNS name", async () => {
    const { members } = get();
    const settled = await members.settled(get().form.synchronous);
    assert.ok(settled);
    const streaming = await members.sql(
      settled.primary.name,
      "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1",
    );
    assert.deepEqual(streaming.split("\n"), settled.standbys.map(({ name }) => name).sort());
    for (const { name } of settled.standbys) {
      const conninfo = await members.sql(name, "SHOW primary_conninfo");
      assert.match(conninfo, new RegExp(`\\bhost=${dnsName(get(), settled.primary.name)}(\\s|$)`));
    }
  });

  it("is reached through the primary Service, by name and by ClusterIP, and takes writes there", async () => {
    const { kubectl, members, service } = get();
    const { namespace } = members;
    const settled = await members.settled(get().form.synchronous);
    assert.ok(settled);
    const clusterIp = asString(
      at(await kubectl.json(["get", "service", service, `--namespace=${namespace}`]), "spec", "clusterIP"),
    );
    assert.ok(clusterIp);
    const question = "SELECT host(inet_server_addr()), pg_is_in_recovery(), n FROM written";
    for (const host of [service, `${service}.${namespace}.svc.cluster.local`, clusterIp]) {
      const answer: string = await until(`${host} answers`, 20_000, () =>
        members.sqlThrough(
          settled.standbys[0]?.name ?? "",
          host,
          `WITH written AS (INSERT INTO counter VALUES ('opening ${host}', 1) RETURNING n) ${question}`,
        ),
      );
      assert.equal(answer, `${settled.primary.ip}|f|1`);
    }
  });
}

const dnsName = ({ members }: Deployed, pod: string): string =>
  `${pod}.${members.scope}-headless.${members.namespace}.svc.cluster.local`;
