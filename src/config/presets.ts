/**
 * Pod selectors of operators whose pods carry labels of their own.
 *
 * Crunchy: `data: postgres` stands on the instance pods (internal/naming/labels.go). StackGres: `app` stands on the
 * pods of its jobs too, `stackgres.io/cluster` only on members (its Patroni labels the members with it).
 */
type Selectors = readonly { readonly key: string; readonly values: readonly string[] }[];

const CRUNCHY: Selectors = [{ key: "postgres-operator.crunchydata.com/data", values: ["postgres"] }];
const STACKGRES: Selectors = [{ key: "stackgres.io/cluster", values: ["true"] }];

export const PRESETS = { crunchy: CRUNCHY, stackgres: STACKGRES };

export type Preset = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as [Preset, ...Preset[]];
