import { apiVersionOf } from "./decode.ts";
import type { Resource } from "./resource.ts";
import type { ResourceTable } from "./resource-table.ts";

/** Answers of the paths that need no resource: what kubectl and clients ask first. */

const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+embedded",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: "linux/amd64",
};

/**
 * @returns the body of `/version` or of a discovery path; undefined where the path is none of them
 */
export function discover(path: string, table: ResourceTable): object | undefined {
  if (path === "/version") return VERSION;
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
  const groups = Map.groupBy(
    [...table.all()].filter(({ group }) => group !== ""),
    ({ group }) => group,
  );
  if (path === "/apis") {
    const described = [...groups].map(([group, members]) => describeGroup(group, members));
    return { kind: "APIGroupList", apiVersion: "v1", groups: described };
  }
  const [, group, version] = /^\/apis\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  const members = group === undefined ? undefined : groups.get(group);
  if (group !== undefined && members !== undefined && version === undefined) {
    return { kind: "APIGroup", apiVersion: "v1", ...describeGroup(group, members) };
  }
  const wanted = path === "/api/v1" ? "v1" : `${group}/${version}`;
  const resources = [...table.all()].filter((resource) => apiVersionOf(resource) === wanted);
  if (resources.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: wanted,
    resources: resources.flatMap(describeResource),
  };
}

function describeGroup(name: string, members: readonly Resource[]): object {
  const versions = [...new Set(members.map(({ version }) => version))].map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

function describeResource(resource: Resource): object[] {
  const { plural, kind, namespaced, shortNames, virtual, statusSubresource } = resource;
  const verbs = virtual ? ["create"] : VERBS;
  const main = { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs, shortNames };
  const status = {
    name: `${plural}/status`,
    singularName: "",
    namespaced,
    kind,
    verbs: ["get", "patch", "update"],
  };
  return statusSubresource ? [main, status] : [main];
}
