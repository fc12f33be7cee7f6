/** One Patroni cluster. */
export interface ClusterKey {
  readonly namespace: string;
  readonly scope: string;
}

/** As the queue and the reports name it. */
export const keyOf = ({ namespace, scope }: ClusterKey): string => `${namespace}/${scope}`;

/** A namespace has no slash in its name; a scope may. */
export function readKey(key: string): ClusterKey {
  const slash = key.indexOf("/");
  return { namespace: key.slice(0, slash), scope: key.slice(slash + 1) };
}
