import { expect, test } from "vitest";
import { UnsentTexts } from "../src/desk/unsent";

test("what is written is kept by its place, the last of it", () => {
  const texts = new UnsentTexts();
  texts.keep("hold-1", { as: "edit", text: "We pay", isOpen: true });
  texts.keep("hold-1", { as: "respond", text: "We pay it.", isOpen: false });
  expect(texts.of("hold-1")).toEqual({ as: "respond", text: "We pay it.", isOpen: false });
  expect(texts.of("hold-2")).toBeNull();
  expect([texts.begun("hold-1", "respond"), texts.begun("hold-1", "edit")]).toEqual(["We pay it.", null]);
});

test("emptied, sent or forgotten it is gone", () => {
  const texts = new UnsentTexts();
  texts.keep("hold-1", { as: "edit", text: "We pay", isOpen: true });
  texts.keep("hold-1", { as: "edit", text: " \n", isOpen: true });
  expect(texts.of("hold-1")).toBeNull();
  texts.keep("hold-1", { as: "edit", text: "We pay", isOpen: true });
  texts.forget("hold-1");
  expect(texts.of("hold-1")).toBeNull();
});

test("of very many only the latest are kept", () => {
  const texts = new UnsentTexts();
  for (let at = 0; at < 60; at += 1) texts.keep(`hold-${at}`, { as: "edit", text: "x", isOpen: true });
  expect([texts.of("hold-0"), texts.of("hold-59")?.text]).toEqual([null, "x"]);
});
