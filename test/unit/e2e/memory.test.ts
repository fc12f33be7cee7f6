import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMemory } from "../../e2e/analysis/memory.ts";

describe("the memory of a control group", () => {
  test("of version 1", () => {
    const text = `memory.max_usage_in_bytes 52428800
memory.stat cache 4096
memory.stat rss 31457280
memory.stat total_rss 999
memory.oom_control oom_kill_disable 0
memory.oom_control under_oom 0
memory.oom_control oom_kill 2`;
    assert.deepEqual(parseMemory(text), { peakBytes: 52_428_800, anonymousBytes: 31_457_280, oomKills: 2 });
  });

  test("of version 2", () => {
    const text = `memory.peak 41943040
memory.stat anon 20971520
memory.stat file 8192
memory.events oom 3
memory.events oom_kill 0`;
    assert.deepEqual(parseMemory(text), { peakBytes: 41_943_040, anonymousBytes: 20_971_520, oomKills: 0 });
  });

  test("says what is missing, for no figure is not the figure 0", () => {
    assert.throws(() => parseMemory("memory.peak 1\nmemory.stat anon 1"), /no count of kills/);
    assert.throws(() => parseMemory(""), /no peak/);
  });
});
