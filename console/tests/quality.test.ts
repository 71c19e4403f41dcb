import { describe, expect, it } from "vitest";
import type { Figures, Share, Wait } from "../src/api/quality";
import { columnsOf, isEmpty, rowsOf } from "../src/charts/series";
import { byHurt, cellsOf, codeWords, familiesOf, led, scaleOf } from "../src/quality/heat";
import { periodOf, PERIODS, spanOf } from "../src/quality/periods";
import { between, by, percent, said, seconds, sorted, type Named } from "../src/quality/say";

const share = (count: number, of: number, at: number | null = count / of): Share =>
  ({ count, of, share: at, low: at === null ? null : at / 2, high: at === null ? null : (at + 1) / 2 });
const wait = (p50: number | null): Wait =>
  ({ cases: 30, p50_s: p50, p50_low_s: p50, p50_high_s: p50, p90_s: p50, p90_low_s: p50, p90_high_s: p50 });
const figures = (automation: Share, wait_alone: Wait = wait(2), turns = 30): Figures => ({ automation, wait_alone, turns }) as Figures;

describe("figures in words", () => {
  it.each([[0, "0 %"], [0.004, "0.4 %"], [0.02, "2 %"], [0.034, "3.4 %"], [0.12, "12 %"], [1, "100 %"]])("%d is %s", (value, words) => {
    expect(percent(value)).toBe(words);
  });
  it.each([[0.84, "0.8 s"], [12.2, "12 s"], [240, "4 min"], [9000, "2.5 h"], [400_000, "5 days"]])("%d s is %s", (value, words) => {
    expect(seconds(value)).toBe(words);
  });
  it("say nothing of too few cases", () => {
    expect(said(share(3, 5, null))).toBeNull();
    expect(between(share(3, 5, null))).toBeNull();
    expect(said(wait(null))).toBeNull();
  });
  it("name both ends of an interval and the size of a change", () => {
    expect(between(share(10, 20))).toBe("25–75 %");
    expect(between({ ...wait(3), p50_low_s: 2.6, p50_high_s: 3.4 })).toBe("2.6–3.4 s");
    expect(between({ ...wait(90), p50_low_s: 50, p50_high_s: 130 })).toBe("50 s – 2 min");
    expect(by(share(1, 20), { direction: "down", by: -0.123, low: -0.2, high: -0.1 })).toBe("12 points");
    expect(by(wait(3), { direction: "up", by: 90, low: 1, high: 200 })).toBe("2 min");
  });
});

describe("a table of names", () => {
  const rows: Named[] = [
    { name: "b", figures: figures(share(10, 20), wait(9), 10) },
    { name: "A", figures: figures(share(1, 5, null), wait(1), 99) },
    { name: "c", figures: figures(share(19, 20), wait(4), 50) },
  ];
  const names = (column: "name" | "turns" | "automation" | "wait_alone", down: boolean): string => sorted(rows, { column, down }).map((row) => row.name).join("");
  it("sorts by any column either way, and what says nothing comes last", () => {
    expect(names("name", false)).toBe("Abc");
    expect(names("turns", true)).toBe("Acb");
    expect(names("automation", true)).toBe("cbA");
    expect(names("automation", false)).toBe("bcA");
    expect(names("wait_alone", false)).toBe("Acb");
  });
});

describe("a time", () => {
  it("ends with the day or hour that runs, and is as long as it says", () => {
    for (const period of PERIODS) {
      const now = new Date(2026, 4, 20, 10, 17);
      const { from, to } = spanOf(period, now);
      expect(Date.parse(to)).toBeGreaterThan(now.getTime());
      expect(Date.parse(to) - Date.parse(from)).toBe(period.name === "hour" ? 3_600_000 : period.days * 86_400_000);
    }
    expect(periodOf("made up").name).toBe("month");
  });
});

describe("a chart", () => {
  const points = [
    { at: "2026-05-01T00:00:00Z", figures: figures(share(10, 20)) },
    { at: "2026-05-02T00:00:00Z", figures: figures(share(1, 5, null), wait(null)) },
  ];
  const lines = [{ name: "automation", label: "Alone" }] as const;
  it("draws value and bounds, with a gap where nothing is said", () => {
    expect(columnsOf(points, lines)).toEqual([[1_777_593_600, 1_777_680_000], [50, null], [25, null], [75, null]]);
    expect(isEmpty(columnsOf([points[1]!], lines))).toBe(true);
  });
  it("says the same as a table", () => {
    expect(rowsOf(points, lines)).toEqual([{ at: points[0]!.at, cells: [{ value: "50 %", between: "25–75 %" }] }]);
  });
});

describe("a table of failures", () => {
  const modes = [
    { mode: "finding:grounding.unsupported_money", family: "grounding", code: "grounding.unsupported_money", turns: 3 },
    { mode: "finding:grounding.unsupported_date", family: "grounding", code: "grounding.unsupported_date", turns: 2 },
    { mode: "reviewer:wrong_tone", family: "reviewer", code: "wrong_tone", turns: 1 },
  ];
  it("names columns in words, families together", () => {
    expect(modes.map(codeWords)).toEqual(["unsupported money", "unsupported date", "wrong tone"]);
    expect(familiesOf(modes)).toEqual([{ name: "grounding", span: 2 }, { name: "reviewer", span: 1 }]);
  });
  it("come in the order of how much they hurt, families kept together", () => {
    const mode = (family: string, code: string, turns: number) => ({ mode: `finding:${family}.${code}`, family, code: `${family}.${code}`, turns });
    const found = byHurt([mode("escalation", "anger", 3), mode("escalation", "wants_person", 5), mode("quality", "does_not_know", 39), mode("actions", "x", 5)]);
    expect(found.map((one) => one.code)).toEqual(["quality.does_not_know", "actions.x", "escalation.wants_person", "escalation.anger"]);
  });
  it("puts each cell under its column", () => {
    const cells = [{ mode: "reviewer:wrong_tone", turns: 1, step: 1 }];
    expect(cellsOf({ topic: "x", turns: 30, cells }, modes)).toEqual([undefined, undefined, cells[0]]);
  });
  it("leads arrow keys over empty cells and never out", () => {
    const filled = [[true, false, true], [false, false, true]];
    expect(led({ row: 0, column: 0 }, "ArrowRight", filled)).toEqual({ row: 0, column: 2 });
    expect(led({ row: 0, column: 2 }, "ArrowDown", filled)).toEqual({ row: 1, column: 2 });
    expect(led({ row: 0, column: 0 }, "ArrowDown", filled)).toEqual({ row: 0, column: 0 });
    expect(led({ row: 0, column: 0 }, "ArrowLeft", filled)).toEqual({ row: 0, column: 0 });
  });
  it("has a scale in words", () => {
    expect(scaleOf([0, 0.01, 0.03, 0.1, 0.25])).toEqual(["below 1 %", "1 % to 3 %", "3 % to 10 %", "10 % to 25 %", "25 % and more"]);
  });
});
