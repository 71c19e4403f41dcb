import { describe, expect, it } from "vitest";
import type { SaidPledge } from "../src/api/pledges";
import { keyOf, local, pledged, type PledgeChoice } from "../src/desk/pledging";

const CALL: SaidPledge = { kind: "call", words: "we will call you", span: { start: 0, end: 16 }, due_at: "2026-03-04T17:00:00Z" };
const known = (choice: PledgeChoice, hold = "h1") => new Map([[keyOf(hold, CALL.words), choice]]);

describe("what a reviewer makes of a draft's promises", () => {
  it("says nothing where nothing was said of it, or it was undone", () => {
    expect(pledged("h1", [CALL], new Map())).toEqual([]);
    expect(pledged("h1", [CALL], known({ isNone: false, at: "" }))).toEqual([]);
  });
  it("names another time, or that it is none, which goes before a time", () => {
    const at = local("2026-03-05T09:30:00Z");
    expect(pledged("h1", [CALL], known({ at }))).toEqual([{ words: CALL.words, is_none: false, due_at: "2026-03-05T09:30:00.000Z" }]);
    expect(pledged("h1", [CALL], known({ at, isNone: true }))).toEqual([{ words: CALL.words, is_none: true }]);
  });
  it("is of this hold alone", () => {
    expect(pledged("h2", [CALL], known({ isNone: true }))).toEqual([]);
  });
});
