/** In which order a queue is shown, and what of it: plain functions of rows, with the moment as a parameter. */
import type { QueueRow } from "../api/types";

export const ORDERS = ["deadline", "risk", "oldest"] as const;
export type Order = (typeof ORDERS)[number];

export type Filters = {
  readonly kind: string;
  readonly topic: string;
  readonly channel: string;
  readonly text: string;
  readonly free: boolean;
};

export const NO_FILTERS: Filters = { kind: "", topic: "", channel: "", text: "", free: false };

const MINUTE_MS = 60_000;

type Keys = readonly (number | string)[];

function time(moment: string | null | undefined): number {
  return moment ? Date.parse(moment) : Number.MAX_SAFE_INTEGER;
}

/** What a row is ordered by, the first that differs counts. A deadline is told by the minute, so that within one risk decides. */
function keys(row: QueueRow, order: Order): Keys {
  const raised = row.raised_at || row.priority === 0 ? 0 : 1;
  const deadline = Math.floor(Math.min(time(row.expires_at), time(row.answer_by)) / MINUTE_MS);
  const risk = [row.priority, row.confidence ?? 0] as const;
  const age = [time(row.created_at), row.id] as const;
  if (order === "oldest") return age;
  return order === "risk" ? [...risk, deadline, ...age] : [raised, deadline, ...risk, ...age];
}

/** Rows are replaced and never changed, so what one is ordered by is found once. */
const found: Record<Order, WeakMap<QueueRow, Keys>> = { deadline: new WeakMap(), risk: new WeakMap(), oldest: new WeakMap() };

function keysOf(row: QueueRow, order: Order): Keys {
  const known = found[order].get(row);
  if (known) return known;
  const made = keys(row, order);
  found[order].set(row, made);
  return made;
}

/** Put rows in order; quick where most of them are in order already. */
export function ordered(rows: Iterable<QueueRow>, order: Order): QueueRow[] {
  const keyed = Array.from(rows, (row) => ({ row, keys: keysOf(row, order) }));
  keyed.sort((a, b) => {
    for (let place = 0; place < a.keys.length; place += 1) {
      const [one, other] = [a.keys[place]!, b.keys[place]!];
      if (one !== other) return one < other ? -1 : 1;
    }
    return 0;
  });
  return keyed.map(({ row }) => row);
}

/** Rows as they are now, those that were there before in the order in which they stood, new ones after them. */
export function succeeded(before: readonly QueueRow[], now: ReadonlyMap<string, QueueRow>): QueueRow[] {
  const still = before.flatMap((row) => now.get(row.id) ?? []);
  if (still.length === now.size) return still;
  const old = new Set(before.map((row) => row.id));
  return [...still, ...[...now.values()].filter((row) => !old.has(row.id))];
}

/** Whether somebody else is at it now. */
export function isTaken(row: QueueRow, me: string, now: number): boolean {
  return !!row.claimed_by && row.claimed_by !== me && time(row.claimed_until) > now && !!row.claimed_until;
}

/** Whether a row is shown under these filters. */
export function isShown(row: QueueRow, filters: Filters, me: string, now: number): boolean {
  if (filters.kind && row.kind !== filters.kind) return false;
  if (filters.topic && (row.topic ?? "") !== filters.topic) return false;
  if (filters.channel && row.channel !== filters.channel) return false;
  if (filters.free && isTaken(row, me, now)) return false;
  if (!filters.text) return true;
  const said = `${row.customer ?? ""} ${row.asked ?? ""} ${row.topic ?? ""} ${row.channel} ${row.id}`.toLowerCase();
  return filters.text.toLowerCase().split(/\s+/).every((word) => said.includes(word));
}

/** The next one to work on after a place: not taken by others, the nearest below, else from the top. */
export function nextFree(rows: readonly QueueRow[], after: number, skip: string, me: string, now: number): QueueRow | null {
  const free = (row: QueueRow): boolean => row.id !== skip && !isTaken(row, me, now);
  return rows.slice(Math.max(0, after)).find(free) ?? rows.find(free) ?? null;
}
