/** What a reviewer says beside the verdict on a draft: of its actions and of what it promises. */
import { SvelteMap } from "svelte/reactivity";
import type { HoldDetail, ProposedAction, Verdict, VerdictBody } from "../api/types";
import { choices } from "./choices.svelte";
import { chosen } from "./choosing";
import { pledged, type PledgeChoice } from "./pledging";

/** By hold and words, kept while the page is open. */
export const pledgeChoices = new SvelteMap<string, PledgeChoice>();

export function beside(detail: HoldDetail, verdict: Verdict): Partial<VerdictBody> {
  if (detail.hold.kind !== "draft") return {};
  const actions = chosen(detail.turn.actions as readonly ProposedAction[], verdict, choices);
  const pledges = pledged(detail.hold.id, detail.draft_pledges ?? [], pledgeChoices);
  return { ...(actions.length ? { actions } : {}), ...(pledges.length ? { pledges } : {}) };
}
