import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import { write } from "../../../src/cli/write.ts";

const failing = (code: string): Writable =>
  new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error(code), { code }));
    },
  });

describe("what is written", () => {
  it("is out when it resolves", async () => {
    let out = "";
    const stream = new Writable({
      write(chunk, _encoding, done) {
        setImmediate(() => {
          out += String(chunk);
          done();
        });
      },
    });
    await write(stream, "all of it");
    assert.equal(out, "all of it");
    assert.equal(stream.listenerCount("error"), 0);
  });
  it("is no error where nobody reads on", () => write(failing("EPIPE"), "x"));
  it("is an error where there is no room", () =>
    assert.rejects(write(failing("ENOSPC"), "x"), { code: "ENOSPC" }));
});
