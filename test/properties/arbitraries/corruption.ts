import fc from "fast-check";
import type { JsonObject } from "../../../src/json/value.ts";
import { type Scene, scene } from "./scenes.ts";

type Place = readonly [holder: Record<string, unknown>, key: string];

/** A key of an object as JSON.parse makes it: `__proto__` is an own key like any other. */
const put = (holder: object, key: string, value: unknown) =>
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });

const nested = (levels: number, list: boolean): unknown => {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = list ? [value] : { value };
  return value;
};

/** What may stand anywhere instead of what belongs there. */
const oddValue: fc.Arbitrary<() => unknown> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom<unknown>(
        null,
        true,
        false,
        0,
        -1,
        1e21,
        0.5,
        "",
        " ",
        "0",
        "null",
        "true",
        [],
        {},
        [null],
        [[]],
        [{}],
        [1],
        { name: {} },
      )
      .map((value) => () => structuredClone(value)),
  },
  { weight: 2, arbitrary: fc.json({ maxDepth: 3 }).map((text) => () => JSON.parse(text)) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 40 }).map((text) => () => text) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(50, 65, 500), fc.boolean()).map(
      ([levels, list]) =>
        () =>
          nested(levels, list),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("x", "\ud800", "$(A)", '{"', "[", ",", ".", "- ", "\n")
      .map((unit) => () => unit.repeat(20_000)),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(
        '{"__proto__":{"polluted":true}}',
        '{"constructor":{"prototype":{"polluted":true}}}',
        '{"toString":null,"valueOf":1,"length":-1}',
        '{"hasOwnProperty":1,"toJSON":{}}',
      )
      .map((text) => () => JSON.parse(text)),
  },
);

/** What happens to one place. */
const corruption: fc.Arbitrary<(place: Place) => void> = fc.oneof(
  {
    weight: 5,
    arbitrary: oddValue.map(
      (value) =>
        ([holder, key]: Place) =>
          put(holder, key, value()),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(([holder, key]: Place) => {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("__proto__", "constructor", "prototype", "toString", "", "a/b~c", "length"),
        oddValue,
      )
      .map(([name, value]) => ([holder]: Place) => {
        if (!Array.isArray(holder)) put(holder, name, value());
      }),
  },
  {
    weight: 1,
    arbitrary: fc.constant(([holder, key]: Place) =>
      put(holder, key, Array.isArray(holder[key]) ? { ...holder[key] } : [holder[key]]),
    ),
  },
);

/** Every place of a value, level by level. */
function placesOf(root: object): Place[] {
  const places: Place[] = [];
  for (let level: object[] = [root]; level.length > 0; ) {
    const next: object[] = [];
    for (const holder of level) {
      for (const [key, value] of Object.entries(holder)) {
        places.push([holder as Record<string, unknown>, key]);
        if (typeof value === "object" && value !== null) next.push(value);
      }
    }
    level = next;
  }
  return places;
}

/** A scene whose pod is broken in one to four places, each anywhere in it. */
export const brokenScene: fc.Arbitrary<Scene> = fc
  .tuple(scene, fc.array(fc.tuple(fc.nat(), corruption), { minLength: 1, maxLength: 4 }))
  .map(([{ pod, world }, corruptions]) => {
    const broken = JSON.parse(JSON.stringify(pod)) as JsonObject;
    for (const [at, corrupt] of corruptions) {
      const places = placesOf(broken);
      const place = places[at % Math.max(1, places.length)];
      if (place !== undefined) corrupt(place);
    }
    return { pod: broken, world };
  });
