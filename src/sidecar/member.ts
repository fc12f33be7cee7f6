import { Discovery } from "./discovery.ts";
import { Journal } from "./journal.ts";
import { PatroniClient } from "./patroni.ts";
import { type Equipment, runSidecar, type Work } from "./run.ts";
import { readSettings, type SidecarConfig } from "./settings.ts";
import { primarySlice, SliceClient } from "./slice-client.ts";
import { watchObject } from "./watch.ts";

/** Beside Patroni: keeps the primary's slice. Throws where the settings are not allowed. */
export function member(environment: NodeJS.ProcessEnv): (stopped: AbortSignal) => Promise<void> {
  const config = readSettings(environment);
  const client = new PatroniClient(config);
  const begin = config.discovery ? (equipment: Equipment) => keep(config, equipment) : undefined;
  return (stopped) => runSidecar(config, environment, () => client.target(), begin, stopped);
}

/** The discovery loop with the watches that hurry it. */
function keep(config: SidecarConfig, { log, metrics, api }: Equipment): Work {
  const { pod, primaryService, leaderObject } = config;
  const { namespace } = pod;
  const slice = primarySlice(namespace, primaryService);
  const discovery = new Discovery({
    config,
    patroni: new PatroniClient(config),
    slices: new SliceClient(api, slice),
    journal: new Journal(log, `${namespace}/${slice.name}`),
    metrics,
  });
  const watches = [
    {
      object: slice,
      seen: discovery.sliceSeen.bind(discovery),
      broken: discovery.sliceLost.bind(discovery),
    },
    ...(leaderObject === undefined
      ? []
      : [
          {
            object: { prefix: "/api/v1", namespace, ...leaderObject },
            seen: discovery.leaderSeen.bind(discovery),
            broken: discovery.leaderLost.bind(discovery),
          },
        ]),
  ];
  return {
    stillForMs: () => discovery.stillForMs,
    async run(stopped) {
      const ended = new AbortController();
      const following = watches.map(({ object, ...handlers }) =>
        watchObject(api, object, handlers, ended.signal),
      );
      await discovery.run(stopped);
      ended.abort();
      await Promise.all(following);
    },
  };
}
