import { describe, expect, it } from "vitest";
import type { ProposedAction } from "../src/api/types";
import { barrier, canApprove, chosen, isDone, objectOf } from "../src/desk/choosing";

const REFUND = { id: "t-a0", name: "refund", arguments: { amount: 4 }, state: "proposed", is_declared: true, approver: "reviewer", against: [], limits: [] } as unknown as ProposedAction;
const known = (choice: object, id = "t-a0") => new Map([[id, choice]]);

describe("what a verdict does", () => {
  it("lets all through where a draft is approved or edited, and nothing with an own answer", () => {
    expect([isDone(REFUND, undefined, "approve"), isDone(REFUND, undefined, "edit"), isDone(REFUND, undefined, "respond")]).toEqual([true, true, false]);
    expect(isDone(REFUND, { doIt: true }, "respond")).toBe(true);
    expect(isDone(REFUND, { doIt: false }, "edit")).toBe(false);
  });
  it("says only what the reviewer chose, and gives other arguments along", () => {
    expect(chosen([REFUND], "edit", new Map())).toEqual([]);
    expect(chosen([REFUND], "edit", known({ written: '{"amount": 3}' }))).toEqual([{ id: "t-a0", let_through: true, arguments: { amount: 3 } }]);
    expect(chosen([REFUND], "edit", known({ doIt: false, written: '{"amount": 3}' }))).toEqual([{ id: "t-a0", let_through: false }]);
  });
  it("leaves out what is not declared, and says so", () => {
    const other = { ...REFUND, is_declared: false } as ProposedAction;
    expect(chosen([other], "edit", new Map())).toEqual([{ id: "t-a0", let_through: false }]);
    expect(canApprove([other], new Map(), true)).toBe(false);
  });
  it("says nothing of what was settled already", () => {
    expect(chosen([{ ...REFUND, state: "done" } as ProposedAction], "edit", known({ doIt: false }))).toEqual([]);
  });
});

describe("whether a draft can leave as it is", () => {
  it("can where all is done as proposed", () => {
    expect(canApprove([REFUND], new Map(), false)).toBe(true);
    expect(canApprove([REFUND], known({ doIt: false }), false)).toBe(false);
    expect(canApprove([REFUND], known({ written: "{}" }), false)).toBe(false);
  });
  it("needs a lead beyond limits, and correct arguments of everybody", () => {
    const over = { ...REFUND, against: ["at most 100 GBP at a time"] } as ProposedAction;
    const wrong = { ...REFUND, against: ["amount: must be number"] } as ProposedAction;
    expect([barrier(over, false), barrier(over, true)]).toEqual(["overLimit", null]);
    expect([barrier(wrong, false), barrier(wrong, true)]).toEqual(["against", "against"]);
    expect(barrier({ ...REFUND, approver: "lead" } as ProposedAction, false)).toBe("leadOnly");
  });
});

describe("arguments that somebody writes", () => {
  it("are an object or nothing", () => {
    expect([objectOf("{}"), objectOf("[]"), objectOf("{"), objectOf("null"), objectOf("4")]).toEqual([{}, null, null, null, null]);
  });
});
