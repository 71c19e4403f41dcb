import { describe, expect, it } from "vitest";
import type { Finding, Passage } from "../src/api/types";
import { wordDiff, type Piece } from "../src/text/diff";
import { marked, numbered } from "../src/text/marks";
import { beside, sentences } from "../src/text/nearest";

const text = (pieces: Piece[], without: Piece["kind"]): string =>
  pieces.filter((piece) => piece.kind !== without).map((piece) => piece.text).join("");

describe("word diff", () => {
  const pairs: [string, string][] = [
    ["We refund 30 EUR.", "We refund 20 EUR today."],
    ["", "new"],
    ["gone", ""],
    ["a b c d e", "c d x e"],
    ["same", "same"],
    ["  two  spaces\n", "two spaces\n\n"],
    ["x ".repeat(3_000), "y ".repeat(3_000)],
  ];
  it.each(pairs)("gives both texts back: %#", (before, after) => {
    const pieces = wordDiff(before, after);
    expect(text(pieces, "added")).toBe(before);
    expect(text(pieces, "removed")).toBe(after);
  });
  it("changes no more than what changed", () => {
    expect(wordDiff("We refund 30 EUR.", "We refund 20 EUR.")).toEqual([
      { kind: "same", text: "We refund" },
      { kind: "removed", text: " 30" },
      { kind: "added", text: " 20" },
      { kind: "same", text: " EUR." },
    ]);
  });
});

const finding = (severity: Finding["severity"], start?: number, end?: number): Finding => ({
  check: "grounding", code: "x", severity, explanation: "", passage_id: null,
  span: start === undefined ? null : { start, end: end! },
});

describe("marks", () => {
  it("cuts at every edge and loses nothing, though findings overlap or reach past the end", () => {
    const findings = numbered([finding("minor", 2, 6), finding("blocking", 4, 99), finding("info")]);
    const pieces = marked("0123456789", findings);
    expect(pieces.map((piece) => piece.text)).toEqual(["01", "23", "45", "6789"]);
    expect(pieces.map((piece) => piece.covering.map((one) => one.number))).toEqual([[], [2], [1, 2], [1]]);
    expect(pieces.map((piece) => piece.ending.map((one) => one.number))).toEqual([[], [], [2], [1]]);
  });
  it("counts characters as the server does, not halves of them", () => {
    const [, , found] = marked("😀😀 30 EUR", numbered([finding("major", 3, 5), finding("minor", 0, 1)]));
    expect(marked("😀😀 30 EUR", numbered([finding("major", 3, 5)]))[1]!.text).toBe("30");
    expect(found!.text).toBe("30");
  });
  it("puts what could not be checked first, then the worst", () => {
    expect(numbered([finding("info"), finding("unknown"), finding("major")]).map((one) => one.finding.severity)).toEqual(["unknown", "major", "info"]);
  });
});

const passage = (id: string, words: string): Passage => ({ id, text: words, title: null, url: null, score: null });

describe("what stands beside a claim", () => {
  it("is the nearest sentence of any passage, or nothing", () => {
    const found = beside("We pay the return postage. The moon is made of green cheese.", [
      passage("hours", "Our shop is open from Monday to Saturday."),
      passage("returns", "Send it back within 30 days. We pay the postage of any return."),
    ]);
    expect(found.map((one) => one.passage?.id ?? null)).toEqual(["returns", null]);
    expect(found[0]!.words).toBe("We pay the postage of any return.");
  });
  it("takes numbers and abbreviations within a sentence along", () => {
    expect(sentences("It costs 3.50 EUR. Ask us!\nThanks")).toEqual(["It costs 3.50 EUR.", "Ask us!", "Thanks"]);
  });
});
