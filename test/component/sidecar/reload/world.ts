import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { Verdict } from "../../../../src/sidecar/reload/auth/verdict.ts";
import { Component } from "../../../../src/sidecar/reload/component.ts";
import { type ApiOptions, reloadApi } from "../../../../src/sidecar/reload/http/api.ts";
import { type Outcome, proven } from "../../../../src/sidecar/reload/outcome.ts";
import type { VersionReading, VersionSource } from "../../../../src/sidecar/reload/versions/source.ts";

/** A version that a test sets. */
export class SetVersion implements VersionSource {
  readonly pollMs = 1000;
  #reading: VersionReading = { kind: "none", why: "not yet" };
  #changed: () => void = () => undefined;

  set(version: number | undefined): void {
    this.setUntold(version);
    this.#changed();
  }

  /** As where the system has no watchers left. */
  setUntold(version: number | undefined): void {
    this.#reading = version === undefined ? { kind: "none", why: "gone" } : { kind: "version", version };
  }

  read(): Promise<VersionReading> {
    return Promise.resolve(this.#reading);
  }

  watch(onChange: () => void): () => void {
    this.#changed = onChange;
    return () => undefined;
  }
}

/** The API over plain HTTP, with a component whose version and reloads a test decides. */
export class Served {
  readonly version = new SetVersion();
  readonly reloads: number[] = [];
  readonly faults: unknown[] = [];
  /** What a reload comes to. */
  outcome: () => Promise<Outcome> = () => Promise.resolve(proven("console"));
  verdict: Verdict = { kind: "admitted", caller: "ops/pipeline" };
  readonly component = new Component({
    name: "pgbouncer",
    versions: this.version,
    reload: (version) => {
      this.reloads.push(version);
      return this.outcome();
    },
    onReload: () => undefined,
    onVersion: () => undefined,
  });
  readonly answered: Parameters<ApiOptions["onAnswer"]>[] = [];
  readonly server: Server = createServer(
    reloadApi({
      components: [this.component],
      admit: async () => this.verdict,
      onAnswer: (...answer) => void this.answered.push(answer),
      onFault: (error) => void this.faults.push(error),
    }),
  );
  port = 0;

  static async start(test: TestContext): Promise<Served> {
    const served = new Served();
    served.server.listen(0, "127.0.0.1");
    await once(served.server, "listening");
    served.port = (served.server.address() as AddressInfo).port;
    test.after(() => {
      served.component.close();
      served.server.closeAllConnections();
      served.server.close();
    });
    return served;
  }
}
