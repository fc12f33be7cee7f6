import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import type { JsonObject } from "../../src/json/value.ts";

/** The chart's folder. */
export const CHART = join(import.meta.dirname, "../../charts/patroni-injector");

export const textOf = (file: string): Promise<string> => readFile(join(CHART, file), "utf8");

/** A YAML or JSON file of the chart. */
export const read = async (file: string): Promise<JsonObject> => parse(await textOf(file)) as JsonObject;
