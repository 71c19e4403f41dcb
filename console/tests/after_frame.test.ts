import { afterEach, expect, test, vi } from "vitest";
import { afterFrame, watchGoing } from "../src/desk/after_frame";

const page = { hidden: false, heard: new Map<string, () => void>() };
const hear = (event: string, act: () => void): void => void page.heard.set(event, act);
let frame: (() => void) | undefined;

vi.stubGlobal("document", { get hidden() { return page.hidden; }, addEventListener: hear });
vi.stubGlobal("addEventListener", hear);
vi.stubGlobal("requestAnimationFrame", (act: () => void) => void (frame = act));
vi.useFakeTimers({ toFake: ["setTimeout"] });

afterEach(() => {
  page.hidden = false;
  frame = undefined;
});

test("what is left for later is done after the frame, in order and once", () => {
  const done: string[] = [];
  afterFrame(() => done.push("give back"));
  afterFrame(() => done.push("take"));
  vi.runAllTimers();
  expect(done).toEqual([]);
  frame!();
  vi.runAllTimers();
  expect(done).toEqual(["give back", "take"]);
});

test("a page that goes, or is hidden, does it at once", () => {
  watchGoing();
  const done: string[] = [];
  for (const event of ["pagehide", "visibilitychange"]) {
    afterFrame(() => done.push(event));
    page.heard.get(event)!();
    expect(done.at(-1)).toBe(event);
    frame!();
    vi.runAllTimers();
  }
  expect(done).toHaveLength(2);
});

test("a hidden page has no frames, and does not wait for one", () => {
  page.hidden = true;
  const done: string[] = [];
  afterFrame(() => done.push("give back"));
  vi.runAllTimers();
  expect(done).toEqual(["give back"]);
});
