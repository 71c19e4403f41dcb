import { describe, expect, it } from "vitest";
import { EventLines } from "../src/api/stream";
import type { QueueRow } from "../src/api/types";
import { isShown, isTaken, nextFree, NO_FILTERS, ordered, succeeded } from "../src/queue/order";

const NOW = Date.parse("2026-01-01T12:00:00Z");
const at = (s: number): string => new Date(NOW + s * 1000).toISOString();

function row(id: string, fields: Partial<QueueRow> = {}): QueueRow {
  return {
    id, conversation_id: `of-${id}`, version: 1, kind: "draft", state: "open", channel: "webchat", topic: "returns", priority: 5, reasons: [],
    claimed_by: null, claimed_until: null, created_at: at(0), expires_at: at(900), raised_at: null,
    customer: "Ann", asked: "Where is it?", confidence: 0.8, ...fields,
  };
}

const ids = (rows: readonly QueueRow[]): string[] => rows.map((one) => one.id);

describe("order", () => {
  const rows = [
    row("late", { expires_at: at(3_000) }),
    row("never", { expires_at: null }),
    row("sure", { expires_at: at(60), confidence: 0.9 }),
    row("unsure", { expires_at: at(80), confidence: 0.2 }),
    row("urgent", { expires_at: at(90), priority: 1 }),
    row("raised", { expires_at: at(-5), raised_at: at(-1), priority: 0 }),
  ];
  it("takes rows over as they stood, without those that are gone, with new ones and what changed", () => {
    const [late, never, sure] = rows;
    const changed = row("sure", { customer: "Bob" });
    const after = new Map([["new", row("new")], ["sure", changed], ["late", late!]]);
    const taken = succeeded([sure!, never!, late!], after);
    expect(ids(taken)).toEqual(["sure", "late", "new"]);
    expect(taken[0]).toBe(changed);
    expect(succeeded([sure!, late!], new Map([["late", late!], ["sure", sure!]]))).toEqual([sure, late]);
  });
  it("is by deadline first, and by risk within a minute", () => {
    expect(ids(ordered(rows, "deadline"))).toEqual(["raised", "urgent", "unsure", "sure", "late", "never"]);
  });
  it("is by when an answer was promised, where that is before the hold is overdue", () => {
    const waits = [row("hold", { expires_at: at(600) }), row("promised", { expires_at: at(900), answer_by: at(120) }), row("later", { expires_at: null, answer_by: at(3_000) })];
    expect(ids(ordered(waits, "deadline"))).toEqual(["promised", "hold", "later"]);
  });
  it("is by risk where that is wished for", () => {
    expect(ids(ordered(rows, "risk")).slice(0, 3)).toEqual(["raised", "urgent", "unsure"]);
  });
  it("is the same whatever order the rows come in", () => {
    for (const order of ["deadline", "risk", "oldest"] as const) {
      expect(ids(ordered([...rows].reverse(), order))).toEqual(ids(ordered(rows, order)));
    }
  });
});

describe("claims", () => {
  const others = row("a", { claimed_by: "Tom", claimed_until: at(30) });
  it("count while they last, and one's own never", () => {
    expect(isTaken(others, "Ines", NOW)).toBe(true);
    expect(isTaken(others, "Tom", NOW)).toBe(false);
    expect(isTaken(others, "Ines", NOW + 31_000)).toBe(false);
    expect(isShown(others, { ...NO_FILTERS, free: true }, "Ines", NOW)).toBe(false);
  });
  it("are passed over by what comes next, which begins anew at the end", () => {
    const rows = [row("first"), others, row("last")];
    expect(nextFree(rows, 1, "first", "Ines", NOW)?.id).toBe("last");
    expect(nextFree(rows, 3, "last", "Ines", NOW)?.id).toBe("first");
    expect(nextFree([others], 0, "x", "Ines", NOW)).toBeNull();
  });
});

describe("search", () => {
  it("wants every word, in whatever field", () => {
    expect(isShown(row("a"), { ...NO_FILTERS, text: "ANN where" }, "Ines", NOW)).toBe(true);
    expect(isShown(row("a"), { ...NO_FILTERS, text: "ann refund" }, "Ines", NOW)).toBe(false);
  });
});

describe("event stream", () => {
  it("is cut into events whatever pieces it comes in", () => {
    const stream = 'id: 1\nevent: hold.opened\ndata: {"seq": 1}\n\n: still here\n\ndata: a\r\ndata: b\r\n\r\n';
    for (let size = 1; size < stream.length; size += 1) {
      const heard: string[] = [];
      const lines = new EventLines((data) => heard.push(data));
      for (let start = 0; start < stream.length; start += size) lines.push(stream.slice(start, start + size));
      expect(heard).toEqual(['{"seq": 1}', "a\nb"]);
    }
  });
});
