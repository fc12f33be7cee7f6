import type { SecretData } from "./secrets.ts";

/** A Secret as it was read; one that is not there has no version, and no data. */
export interface StoredSecret {
  readonly data: SecretData;
  readonly version: string | undefined;
}

/** Where Secrets are kept. Every method rejects where that could not be reached, or refused. */
export interface SecretStore {
  read(name: string): Promise<StoredSecret>;
  /**
   * Writes the whole data, under the condition that the Secret is still as it was read.
   *
   * @returns false where somebody wrote in between: nothing was written
   */
  write(name: string, data: SecretData, over: StoredSecret): Promise<boolean>;
}
