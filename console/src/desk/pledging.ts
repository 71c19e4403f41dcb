/** What a reviewer's choices on what a draft promises come to; it keeps nothing. */
import type { SaidPledge } from "../api/pledges";

/** `at`: what the field for the time holds, in local time; "" or undefined as the draft says. */
export type PledgeChoice = { readonly isNone?: boolean; readonly at?: string };

export const keyOf = (hold: string, words: string): string => `${hold}\n${words}`;

/** A moment as the field for times holds it: local, to the minute. */
export function local(moment: string | null): string {
  if (!moment) return "";
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What the verdict says of promises that the reviewer said something of. */
export function pledged(hold: string, said: readonly SaidPledge[], known: ReadonlyMap<string, PledgeChoice>): { words: string; is_none: boolean; due_at?: string }[] {
  return said.flatMap(({ words }) => {
    const choice = known.get(keyOf(hold, words));
    if (!choice || (!choice.isNone && !choice.at)) return [];
    const due = choice.isNone || !choice.at ? {} : { due_at: new Date(choice.at).toISOString() };
    return [{ words, is_none: !!choice.isNone, ...due }];
  });
}
