import { describe, expect, it } from "vitest";
import { EventLines, pauseMs } from "../src/api/stream";

describe("how a lost stream is taken up again", () => {
  it("tries at once at first, and never waits longer than two and a half seconds", () => {
    expect(pauseMs(1, 0)).toBe(125);
    expect(pauseMs(2, 0.999)).toBeLessThan(500);
    for (const failures of [5, 50, 2_000]) expect(pauseMs(failures, 0.999999)).toBeLessThanOrEqual(2_500);
  });

  it("spreads many pages over the time", () => {
    expect(new Set([0, 0.25, 0.5, 0.75].map((chance) => pauseMs(6, chance))).size).toBe(4);
    expect(pauseMs(6, 0)).toBeGreaterThanOrEqual(1_250);
  });
});

describe("a text/event-stream", () => {
  it("is cut into the same events however it arrives", () => {
    const text = "id: 1\nevent: a\ndata: one\n\n: never mind\n\ndata: two\r\ndata:  three\r\n\r\ndata: not yet";
    for (const size of [1, 2, 5, 1_000]) {
      const heard: string[] = [];
      const lines = new EventLines((data) => heard.push(data));
      for (let at = 0; at < text.length; at += size) lines.push(text.slice(at, at + size));
      expect(heard).toEqual(["one", "two\n three"]);
    }
  });
});
