import type { Desired } from "../desired/object.ts";
import type { ClusterView } from "../view.ts";
import { type Circumstances, keyOf } from "./verdict.ts";

/** What a cluster is to have, and by whose wishes. */
export function expectation(
  { namespace, settings, members, templates, poolers }: ClusterView,
  desired: readonly (Desired | undefined)[],
): Pick<Circumstances, "wanted" | "known"> {
  // A Service that is there stays what it is, whoever made it.
  const services = [settings.primaryService, settings.headlessService].map(
    (name) => `services/${namespace}/${name}`,
  );
  const objects = desired.flatMap((each) => (each === undefined ? [] : keyOf(each.resource, each.object)));
  const known = [
    ...[...members, ...poolers].map(({ uid }) => uid),
    ...templates.map(({ workload }) => workload.uid),
  ];
  return { wanted: new Set([...services, ...objects]), known: new Set(known) };
}
