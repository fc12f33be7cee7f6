import { shownChain } from "../../certificates/shown.ts";
import type { OpenPort } from "../../kube/port-forward.ts";
import { trusteesIn } from "../../kube/webhook-configuration.ts";
import { NotSeen, type Seen } from "../need.ts";
import type { Shown, Snapshot } from "../snapshot.ts";
import type { Entry } from "../webhook/entries.ts";
import { type Place, placesOf } from "../webhook/places.ts";
import { keyOf, targetOf } from "../webhook/target.ts";
import type { Way } from "./members.ts";
import { forEach } from "./pool.ts";

export interface ShownOptions {
  /** What was read before. */
  readonly snapshot: Snapshot;
  readonly way: Way;
  readonly openPort: OpenPort;
  /** The API server's clock. */
  now(): Date;
}

/**
 * Asks everyone who answers for these entries for the certificate, by a handshake and no more: pods through the API server
 * (`pods/portforward`) or, from within the pod network, at their addresses; URLs from here.
 *
 * @returns by target
 */
export async function askShown(
  entries: readonly Entry[],
  options: ShownOptions,
): Promise<Map<string, Seen<readonly Shown[]>>> {
  const wanted = new Map<string, { readonly places: Seen<readonly Place[]>; readonly serverName: string }>();
  for (const { entry } of entries) {
    const target = targetOf(entry);
    const [trustee] = trusteesIn("caBundle", {}, { webhooks: [entry] });
    if (target === undefined || trustee === undefined) continue;
    wanted.set(keyOf(target), {
      places: seen(() => placesOf(target, options.snapshot)),
      serverName: trustee.serverName,
    });
  }
  const calls = [...wanted].flatMap(([key, { places, serverName }]) =>
    "unseen" in places ? [] : places.value.map((place) => ({ key, place, serverName })),
  );
  const shown = await forEach(calls, async ({ key, place, serverName }) => ({
    key,
    shown: { by: place.name, chain: await chainAt(place, serverName, options) },
  }));
  return new Map(
    [...wanted].map(([key, { places }]) => [
      key,
      "unseen" in places
        ? places
        : { value: shown.filter((each) => each.key === key).map((each) => each.shown) },
    ]),
  );
}

async function chainAt(
  { host, port, pod }: Place,
  serverName: string,
  { way, openPort, now }: ShownOptions,
): Promise<Shown["chain"]> {
  try {
    const open = way === "proxy" && pod !== undefined && (() => openPort(pod.namespace, pod.name, port));
    const pem = await shownChain(open ? { open } : { host, port }, serverName);
    return { value: { pem, at: now() } };
  } catch (error) {
    return { unseen: (error as Error).message };
  }
}

function seen<Value>(look: () => Value): Seen<Value> {
  try {
    return { value: look() };
  } catch (error) {
    if (!(error instanceof NotSeen)) throw error;
    return { unseen: error.message };
  }
}
