/** The grid of topics by channels: which release speaks for a slice, what is shown, in which order. Pure. */
import type { Level, SliceStatus } from "../api/autonomy";

export const ALONE: readonly Level[] = ["probation", "auto"];
export const POOLED = "*";
export const SHOWS = ["all", "alone", "proposed", "people", "stopped"] as const;
export type Show = (typeof SHOWS)[number];

/** `answering`: who answers here now, the larger share first; `lead` speaks for the cell, `others` are all versions beside it. */
export type Cell = { readonly lead: SliceStatus; readonly answering: readonly SliceStatus[]; readonly others: number };
export type Grid = { readonly topics: readonly string[]; readonly channels: readonly string[]; cell(topic: string, channel: string): Cell | undefined };

const since = (one: SliceStatus): number => (one.since ? Date.parse(one.since) : 0);

/** Whether its release was taken back, or another took its place. */
export const isOver = (one: SliceStatus): boolean => one.stage === "rolled_back" || one.stage === "retired";

/** As the server chooses it: who answers now, the larger share first, last whose release is over; else who answers alone, then who
 * is proposed, then whose evidence began last, then who has most drafts. */
export function leading(all: readonly SliceStatus[]): SliceStatus | undefined {
  const rank = (one: SliceStatus): readonly [number, number, number, number, number, number, string] =>
    [one.answers, Number(!isOver(one)), Number(ALONE.includes(one.level)), Number(one.proposal !== null), since(one), one.drafts, one.release];
  return all.reduce<SliceStatus | undefined>((best, one) => {
    if (!best) return one;
    const [a, b] = [rank(one), rank(best)];
    const place = a.findIndex((value, index) => value !== b[index]);
    return place >= 0 && a[place]! > b[place]! ? one : best;
  }, undefined);
}

export function isWanted(one: SliceStatus, show: Show): boolean {
  switch (show) {
    case "all": return true;
    case "alone": return ALONE.includes(one.level) && !one.on_hold && one.answers > 0;
    case "proposed": return one.proposal !== null;
    case "people": return !ALONE.includes(one.level) && one.answers > 0;
    case "stopped": return one.on_hold;
  }
}

/** A topic is shown if any of its cells is wanted and its name has the words; its other cells stay, so that the row is whole. */
export function gridOf(slices: readonly SliceStatus[], show: Show, words: string): Grid {
  const byCell = new Map<string, SliceStatus[]>();
  for (const one of slices) {
    const key = JSON.stringify([one.topic, one.channel]);
    byCell.set(key, [...(byCell.get(key) ?? []), one]);
  }
  const wanted = words.trim().toLowerCase();
  const topics = new Set<string>();
  for (const group of byCell.values()) {
    const lead = leading(group)!;
    if (group.some((one) => isWanted(one, show)) && lead.topic.toLowerCase().includes(wanted)) topics.add(lead.topic);
  }
  const channels = new Set(slices.filter((one) => topics.has(one.topic)).map((one) => one.channel));
  return {
    topics: [...topics].sort(),
    channels: [...channels].sort((a, b) => Number(a === POOLED) - Number(b === POOLED) || a.localeCompare(b)),
    cell(topic, channel) {
      const group = byCell.get(JSON.stringify([topic, channel]));
      if (!group) return undefined;
      const answering = group.filter((one) => one.answers > 0).sort((a, b) => b.answers - a.answers);
      return { lead: leading(group)!, answering, others: group.length - Math.max(1, answering.length) };
    },
  };
}

export type Totals = { readonly slices: number; readonly alone: number; readonly proposed: number; readonly demoted: number; readonly owed: number };

/** What a lead asks first; topics pooled over their channels are no slice. */
export function totalsOf(slices: readonly SliceStatus[]): Totals {
  const own = slices.filter((one) => one.channel !== POOLED);
  const leads = new Map<string, SliceStatus[]>();
  for (const one of own) leads.set(JSON.stringify([one.topic, one.channel]), [...(leads.get(JSON.stringify([one.topic, one.channel])) ?? []), one]);
  const shown = [...leads.values()].map((group) => leading(group)!);
  return {
    slices: shown.length,
    alone: shown.filter((one) => isWanted(one, "alone")).length,
    proposed: own.filter((one) => one.proposal !== null).length,
    demoted: shown.filter((one) => one.level === "demoted").length,
    owed: own.reduce((sum, one) => sum + one.audits_owed, 0),
  };
}

/** The share of the latest drafts that left by themselves; null where none came. */
export function shareAlone(one: SliceStatus): number | null {
  return one.lately ? one.lately_alone / one.lately : null;
}
