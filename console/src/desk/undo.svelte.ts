/** Verdicts that can still be taken back. The server carries them out; here it is only shown for how long, and what became of them. */
import { deskApi } from "../api/desk";
import { api, Refused } from "../api/calls";
import type { HoldDetail, LedgerLine, Verdict } from "../api/types";
import { queue } from "../queue/queue.svelte";
import { notices, now, session, where } from "../state.svelte";
import { DESK } from "../words/desk";
import { WORDS } from "../words";

export type Pending = {
  readonly holds: readonly string[];
  readonly words: string;
  /** When they are carried out, in ms. */
  readonly until: number;
  readonly verdict: Verdict;
  readonly text: string | null;
  readonly reasons: readonly string[];
  readonly turn: string | null;
};

const OVER_MS = 1_500;
const SHOWN_MAX = 3;
const ENDED_OTHERWISE: Readonly<Record<string, keyof typeof WORDS.closed>> = {
  "hold.superseded": "superseded",
  "hold.joined": "changed",
  "hold.expired": "expired",
};

class Undo {
  all = $state.raw<readonly Pending[]>([]);
  /** What was taken back, for the review screen to go on with. */
  restored: { readonly hold: string; readonly verdict: Verdict; readonly text: string | null; readonly reasons: readonly string[] } | null = null;
  shown = $derived(this.all.filter((one) => one.until > now.ms).slice(-SHOWN_MAX));

  constructor() {
    queue.listen((line) => this.hear(line));
  }

  add(detail: HoldDetail, verdict: Verdict, words: string, until: string, text: string | null, reasons: readonly string[]): void {
    const { hold, turn } = detail;
    this.keep({ holds: [hold.id], words, until: Date.parse(until), verdict, text, reasons, turn: hold.kind === "draft" ? turn.id : null });
  }

  addAlike(holds: readonly string[], words: string, until: string): void {
    this.keep({ holds, words, until: Date.parse(until), verdict: "approve", text: null, reasons: [], turn: null });
  }

  /** Take the last verdict back; says so, and opens its hold again. */
  async last(): Promise<void> {
    const pending = this.shown.at(-1);
    if (!pending) {
      notices.say("good", DESK.undo.nothing);
      return;
    }
    await this.takeBack(pending);
  }

  async takeBack(pending: Pending): Promise<void> {
    this.drop(pending);
    const answers = await Promise.allSettled(pending.holds.map((hold) => deskApi.takeBack(hold)));
    const opened = pending.holds.filter((_, place) => answers[place]?.status === "fulfilled");
    pending.holds.forEach((hold) => queue.mend(hold));
    const failed = answers.find((one) => one.status === "rejected");
    if (failed) {
      const isLate = failed.reason instanceof Refused;
      notices.say("bad", isLate ? DESK.undo.tooLate(pending.holds.length - opened.length, pending.holds.length) : WORDS.unknownOutcome);
    }
    const first = opened[0];
    if (!first) return;
    if (!failed) notices.say("good", DESK.undo.done(opened.length));
    this.restored = { hold: first, verdict: pending.verdict, text: pending.text, reasons: pending.reasons };
    where.go({ screen: "hold", id: first });
  }

  private keep(pending: Pending): void {
    this.all = [...this.all.filter((one) => one.until + OVER_MS > Date.now()), pending];
  }

  private drop(pending: Pending): void {
    this.all = this.all.filter((one) => one !== pending);
  }

  private hear(line: LedgerLine): void {
    const hold = line.body["hold"];
    const pending = this.all.find((one) => typeof hold === "string" && one.holds.includes(hold));
    if (!pending) return;
    if (line.event === "hold.decided" && line.actor === session.name) {
      if (pending.holds.length === 1) this.drop(pending);
      if (pending.turn) void this.tellOfPlanted(pending.turn);
      return;
    }
    const why = line.event === "hold.decided" ? "decided" : ENDED_OTHERWISE[line.event];
    if (!why) return;
    if (pending.holds.length === 1) this.drop(pending);
    notices.say("bad", DESK.undo.lapsed(WORDS.closed[why]), pending.text);
  }

  /** That a draft was planted is told once nothing of the verdict can be changed any more. */
  private async tellOfPlanted(turn: string): Promise<void> {
    if (!session.may("turns:read")) return;
    const found = await api.turn(turn).catch(() => null);
    if (found?.state === "spent") notices.say("good", WORDS.planted);
  }
}

export const undo = new Undo();
