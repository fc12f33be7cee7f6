import { VERSION_SETTING } from "../../../contract/reload.ts";
import { at } from "../../../json/value.ts";
import type { PatroniReload } from "../postgres/patroni-reload.ts";
import { readingOf, type VersionReading, type VersionSource } from "./source.ts";

const WHERE = `postgresql.parameters["${VERSION_SETTING}"] in Patroni's DCS`;

/** The version as a setting in the configuration that Patroni keeps in its DCS. */
export class DcsVersions implements VersionSource {
  readonly pollMs = 1000;
  readonly #patroni: Pick<PatroniReload, "configuration">;

  constructor(patroni: Pick<PatroniReload, "configuration">) {
    this.#patroni = patroni;
  }

  async read(): Promise<VersionReading> {
    try {
      const configuration = await this.#patroni.configuration();
      const value = at(configuration, "postgresql", "parameters", VERSION_SETTING);
      if (value === undefined || value === null) return { kind: "none", why: `there is no ${WHERE}` };
      return readingOf(String(value), WHERE);
    } catch (error) {
      return { kind: "none", why: `Patroni's configuration cannot be read: ${(error as Error).message}` };
    }
  }

  /** Nothing tells: only looks do. */
  watch(): () => void {
    return () => undefined;
  }
}
