import manifest from "../../package.json" with { type: "json" };

/** The version of this product, as in package.json; stands in the status annotation. */
export const VERSION: string = manifest.version;
