import fc from "fast-check";
import { type Subject, World } from "./world.ts";

/** One event of a schedule: what happens, and to whom. */
type Event = readonly [what: keyof typeof EVENTS, whom: number];

const ENDS = ["replica", "stopping", "crashed", "hung", "starting", "promoting"] as const;

const EVENTS = {
  step: (world: World, whom: number) => world.step(whom),
  run: (world: World, whom: number) => {
    for (let steps = 0; steps < 8; steps++) world.step(whom);
  },
  tick: (world: World, whom: number) => {
    world.now += 50 + (whom % 8) * 50;
  },
  stall: (world: World, whom: number) => {
    world.now += 1001 + whom * 500;
  },
  promote: (world: World, whom: number) => world.promote(whom),
  demote: (world: World, whom: number) => {
    world.end(ENDS[whom % ENDS.length] ?? "replica");
  },
  recover: (world: World, whom: number) => world.recover(whom),
  restore: (world: World, whom: number) => world.restore(whom),
  rogue: (world: World, whom: number) => world.rogue(whom),
  tamper: (world: World, whom: number) => world.tamper(whom),
  note: (world: World) => world.note(),
  giveWay: (world: World) => world.giveWay(),
  delete: (world: World, whom: number) => world.delete(whom % 2 === 0),
  crashKeeper: (world: World) => world.crashKeeper(),
  loseNote: (world: World) => world.loseNote(),
  make: (world: World) => world.make(),
  crash: (world: World, whom: number) => world.crash(whom),
  lose: (world: World, whom: number) => world.lose(whom),
  arrive: (world: World, whom: number) => world.arrive(whom),
} as const;

const whom = fc.nat({ max: 11 });
const event = (what: Event[0]) => fc.tuple(fc.constant(what), whom);

/** Writers that make progress, and faults enough that every schedule has some. */
export const schedules = fc.array(
  fc.oneof(
    { arbitrary: event("step"), weight: 60 },
    { arbitrary: event("run"), weight: 12 },
    { arbitrary: event("tick"), weight: 6 },
    { arbitrary: event("promote"), weight: 6 },
    { arbitrary: event("demote"), weight: 5 },
    { arbitrary: event("lose"), weight: 12 },
    { arbitrary: event("arrive"), weight: 5 },
    { arbitrary: event("recover"), weight: 2 },
    { arbitrary: event("stall"), weight: 2 },
    { arbitrary: event("rogue"), weight: 2 },
    { arbitrary: event("crash"), weight: 2 },
    { arbitrary: event("make"), weight: 6 },
    { arbitrary: event("note"), weight: 2 },
    { arbitrary: event("giveWay"), weight: 1 },
    { arbitrary: event("delete"), weight: 1 },
    { arbitrary: event("crashKeeper"), weight: 1 },
    { arbitrary: event("loseNote"), weight: 1 },
    { arbitrary: event("tamper"), weight: 1 },
    { arbitrary: event("restore"), weight: 1 },
  ),
  { minLength: 40, maxLength: 160 },
);

/** Plays a schedule and lets the world settle; throws a {@link Violation} where something does not hold. */
export function play(subject: Subject, schedule: readonly Event[]): World {
  const world = new World(subject);
  for (const [what, index] of schedule) EVENTS[what](world, index);
  world.settle();
  return world;
}
