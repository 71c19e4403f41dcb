import { describe, expect, it } from "vitest";
import type { View } from "../src/api/desk";
import { filled, firstName, matching, named, stillMissing, VARIABLES } from "../src/desk/variables";
import { actionOf, effective, KEYS, keyName, refusal, use, type Own } from "../src/keys";
import { NO_FILTERS, ORDERS } from "../src/queue/order";
import { asked, asksOf, byDigit, inOrder, isSame, lookOf, showsOf } from "../src/queue/views";

/** Numbers that come the same each time, so that a failure can be seen again. */
function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
}

const PIECES = ["{customer}", "{reviewer}", "{nobody}", "{", "}", "{{", "x", " ", "{Customer}", "$&", "$1", "{email}"];
const some = (roll: () => number): string => Array.from({ length: 1 + Math.floor(roll() * 8) }, () => PIECES[Math.floor(roll() * PIECES.length)]).join("");

describe("variables", () => {
  it("are filled in as text", () => {
    expect(filled("Dear {customer}, {reviewer} of {business}", { customer: "Ann", reviewer: "Kim", business: "Acme" })).toEqual({
      text: "Dear Ann, Kim of Acme", missing: [],
    });
  });
  it("stay and are named where nothing is known of them, or nobody knows the word", () => {
    expect(filled("Dear {customer}, {order_number} {email}", { customer: " ", email: null })).toEqual({
      text: "Dear {customer}, {order_number} {email}", missing: ["customer", "order_number", "email"],
    });
  });
  it("are filled in once: what stands in a value stays as it is", () => {
    for (let seed = 1; seed < 500; seed += 1) {
      const roll = dice(seed);
      const [before, value, after] = [some(roll), some(roll), some(roll)];
      const template = `${before}|{topic}|${after}`;
      const { text, missing } = filled(template, { topic: value });
      expect(text).toBe(`${before}|${value.trim() ? value.trim() : "{topic}"}|${after}`);
      expect(missing).toEqual(named(template).filter((name) => name !== "topic" || !value.trim()));
    }
  });
  it("with a value each leave nothing open", () => {
    const values = Object.fromEntries(VARIABLES.map((name) => [name, "x"]));
    expect(filled(VARIABLES.map((name) => `{${name}}`).join(""), values)).toEqual({ text: "x".repeat(VARIABLES.length), missing: [] });
  });
  it("hold a text back only while they stand in it", () => {
    expect(stillMissing("Dear {customer}", ["customer", "email"])).toEqual(["customer"]);
    expect(stillMissing("Dear Ann, {anything}", ["customer"])).toEqual([]);
  });
  it("know the first of several names", () => {
    expect([firstName(" Ann Lee "), firstName("Ann"), firstName(null)]).toEqual(["Ann", "Ann", ""]);
  });
});

describe("a canned reply", () => {
  const all = [{ name: "Refund on its way", text: "The money" }, { name: "Way to the shop", text: "Turn left" }, { name: "Thanks", text: "for your refund" }];
  it("is found by the beginnings of its words, by its name first", () => {
    expect(matching(all, "ref").map((one) => one.name)).toEqual(["Refund on its way", "Thanks"]);
    expect(matching(all, "way").map((one) => one.name)).toEqual(["Way to the shop", "Refund on its way"]);
    expect(matching(all, "way ref").map((one) => one.name)).toEqual(["Refund on its way"]);
    expect(matching(all, "")).toHaveLength(3);
    expect(matching(all, "[(")).toEqual([]);
  });
});

describe("keys", () => {
  it("do one thing each, wherever two tables meet", () => {
    for (const { where, action } of KEYS) for (const key of KEYS.find((row) => row.action === action)!.keys) {
      const others = KEYS.filter((row) => row.action !== action && row.keys.includes(key) && (row.where === where || (row.where === "everywhere") !== (where === "everywhere")));
      expect(others.filter((row) => row.where !== "writing" && where !== "writing")).toEqual([]);
    }
  });
  it("that one chose take the place of those that came", () => {
    expect(effective({ approve: ["y"] }).find((row) => row.action === "approve")!.keys).toEqual(["y"]);
    expect(effective({ approve: [], nothing: ["x"], edit: ["Tab"] })).toEqual(KEYS);
  });
  it("are refused where they are taken, and never leave two actions with one key", () => {
    const possible = ["a", "b", "y", "?", "u", "1", "Enter", "Escape", "Ctrl+b", "Tab", "A", "/"];
    for (let seed = 1; seed < 300; seed += 1) {
      const roll = dice(seed);
      let own: Own = {};
      for (let step = 0; step < 12; step += 1) {
        const [row, key] = [KEYS[Math.floor(roll() * KEYS.length)]!, possible[Math.floor(roll() * possible.length)]!];
        if (!refusal(own, row.action, key)) own = { ...own, [row.action]: [key] };
      }
      const table = effective(own);
      for (const place of ["queue", "review"] as const) {
        const keys = table.filter((row) => row.where === place || row.where === "everywhere").flatMap((row) => row.keys);
        expect(new Set(keys).size).toBe(keys.length);
      }
    }
  });
  it("say why they are refused", () => {
    expect(refusal({}, "approve", "e")).toMatchObject({ why: "taken", by: { action: "edit" } });
    expect(refusal({}, "approve", "j")).toBeNull(); // only the queue has it
    expect(refusal({}, "undo", "j")).toMatchObject({ why: "taken" });
    expect(refusal({}, "approve", "1")).toEqual({ why: "digit" });
    expect(refusal({}, "send", "s")).toEqual({ why: "plain" });
    expect(refusal({}, "approve", "Tab")).toEqual({ why: "fixed" });
    expect(refusal({ edit: ["x"] }, "approve", "e")).toBeNull();
  });
  it("in force are those that were chosen", () => {
    const press = (key: string): KeyboardEvent => ({ key, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, target: null }) as unknown as KeyboardEvent;
    const there = globalThis as { Element?: unknown };
    there.Element ??= class {};
    use({ approve: ["y"] });
    expect([actionOf(press("y"), "review"), actionOf(press("a"), "review")]).toEqual(["approve", null]);
    use({});
    expect(actionOf(press("a"), "review")).toBe("approve");
  });
  it("have names to be read", () => {
    expect(["A", "ArrowDown", "a", "Ctrl+Enter"].map(keyName)).toEqual(["Shift+a", "↓", "a", "Ctrl+Enter"]);
  });
});

describe("views", () => {
  const view = (id: string, fields: Partial<View> = {}): View => ({
    id, name: id, by: "Kim", is_mine: true, is_shared: false, shows: showsOf({ order: "risk", filters: { ...NO_FILTERS, topic: id } }), ...fields,
  });
  const views = [view("theirs", { is_mine: false }), view("mine"), view("also")];
  it("stand with one's own first, and digits open them", () => {
    expect(inOrder(views).map((one) => one.id)).toEqual(["mine", "also", "theirs"]);
    expect(["1", "3", "4", "0", "x"].map((key) => byDigit(views, key)?.id)).toEqual(["mine", "theirs", undefined, undefined, undefined]);
  });
  it("are asked for by an address, which wins over filters beside it", () => {
    expect(asked({ view: "mine", topic: "x" }, views)).toEqual({ view: views[1], look: lookOf(views[1]!.shows) });
    expect(asked({ view: "gone", topic: "x" }, views).look?.filters.topic).toBe("x");
    expect(asked({ view: "gone" }, views)).toEqual({});
    expect(asked(undefined, views)).toEqual({});
  });
  it("come back from the address that says them", () => {
    for (let seed = 1; seed < 200; seed += 1) {
      const roll = dice(seed);
      const text = (): string => (roll() < 0.5 ? "" : `t&=# ${Math.floor(roll() * 99)}`);
      const look = { order: ORDERS[Math.floor(roll() * 3)]!, filters: { kind: text(), topic: text(), channel: text(), text: text(), free: roll() < 0.5 } };
      const asks = asksOf(look);
      const back = asked(asks, []).look ?? lookOf({});
      expect(isSame(back, look)).toBe(true);
      expect(isSame(lookOf(showsOf(look)), look)).toBe(true);
    }
  });
});
