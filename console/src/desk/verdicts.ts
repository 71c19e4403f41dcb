/** Which verdicts each kind of hold takes, and the keys that give them; what a verdict does is the server's. */
import type { Kind, Verdict } from "../api/types";
import type { Action } from "../keys";

export const ALLOWED: Record<Kind, readonly Verdict[]> = {
  draft: ["approve", "edit", "reject", "respond", "take_over"],
  hand_off: ["respond", "take_over"],
  unsure_send: ["approve", "reject"],
  unsure_action: ["approve", "reject"],
  win_back: ["approve", "edit", "reject", "take_over"],
  audit: ["approve", "edit", "reject"],
  second: ["approve", "edit", "reject"],
  redraft: ["approve", "edit", "reject"],
};
export const UNSURE: ReadonlySet<Kind> = new Set(["unsure_send", "unsure_action"]); // a verdict says what became of something
export const AFTERWARDS: ReadonlySet<Kind> = new Set(["audit", "second", "redraft"]); // a verdict says how good it was; nothing is sent
export const VERDICT_OF: Partial<Record<Action, Verdict>> = { approve: "approve", edit: "edit", reject: "reject", respond: "respond", takeOver: "take_over" };
