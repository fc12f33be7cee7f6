/**
 * What the embedded API server is known to do otherwise than a real one, each with the reason. A case that meets one
 * names it, and asserts what either does; a row that no case meets any more fails the suite.
 */
export const DIFFERENCES = {
  "no defaults": "objects are kept as they were sent: a test sees its own object again",
  "no validation": "that would be the whole API; what must be valid is sent to a real server",
  "unknown fields are kept": "a server newer than its clients does so, and they must bear it",
  "no field ownership":
    "managedFields are a program of their own; apply is create-or-merge, and says so in a warning",
  "no credential id":
    "the real server says in `userInfo.extra` which certificate or token it was; here there is none",
} as const satisfies Record<string, string>;

export type Difference = keyof typeof DIFFERENCES;
