import { expect, it } from "vitest";
import { takenFrom } from "../src/desk/taken";

it("whoever had a conversation is told whose it is now", () => {
  const line = { event: "conversation.mode", body: { mode: "person", taken_by: "ann", taken_from: "ben" } };
  expect(takenFrom(line)).toEqual({ from: "ben", by: "ann" });
});

it("nobody is told where nobody had it, or it went back to the agent", () => {
  expect(takenFrom({ event: "conversation.mode", body: { mode: "person", taken_by: "ann", taken_from: null } })).toBeNull();
  expect(takenFrom({ event: "conversation.mode", body: { mode: "agent", taken_by: null, taken_from: "ben" } })).toBeNull();
  expect(takenFrom({ event: "hold.opened", body: { taken_by: "ann", taken_from: "ben" } })).toBeNull();
});
