import assert from "node:assert/strict";
import { it } from "node:test";
import { clusterDomainIn } from "../../../src/config/cluster-domain.ts";

const ROWS: readonly (readonly [string, string, string])[] = [
  [
    "a pod",
    "search db.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\n",
    "cluster.local",
  ],
  [
    "another domain",
    "nameserver 10.0.0.1\nsearch a.svc.k8s.example svc.k8s.example k8s.example\n",
    "k8s.example",
  ],
  ["the last search line counts", "search svc.old\nsearch svc.new\n", "new"],
  ["tabs and a dot at the end", "search\tsvc.Cluster.Local.\n", "cluster.local"],
  ["outside a cluster", "search example.com\nnameserver 1.1.1.1\n", "cluster.local"],
  ["a commented line", "# search svc.other\n", "cluster.local"],
  ["nothing at all", "", "cluster.local"],
];

for (const [name, text, domain] of ROWS) {
  it(`finds the cluster's domain: ${name}`, () => assert.equal(clusterDomainIn(text), domain));
}
