/** Views of the queue: filters and order under a name, and what an address asks for. Plain functions. */
import type { Shows, View } from "../api/desk";
import { NO_FILTERS, ORDERS, type Filters, type Order } from "./order";

export type Look = { readonly order: Order; readonly filters: Filters };

export const KEYED_MAX = 9;

/** How a view looks at the queue. */
export function lookOf(shows: Partial<Shows>): Look {
  const order = ORDERS.find((one) => one === shows.order) ?? "deadline";
  const { kind = "", topic = "", channel = "", text = "", free = false } = shows;
  return { order, filters: { ...NO_FILTERS, kind, topic, channel, text, free } };
}

export function showsOf(look: Look): Shows {
  return { order: look.order, ...look.filters };
}

/** One's own first, then those of others, each in the order in which they were made: 1 to 9 open the first nine. */
export function inOrder(views: readonly View[]): View[] {
  return [...views.filter((view) => view.is_mine), ...views.filter((view) => !view.is_mine)];
}

/** The view that a digit stands for. */
export function byDigit(views: readonly View[], key: string): View | undefined {
  return /^[1-9]$/.test(key) ? inOrder(views)[Number(key) - 1] : undefined;
}

export function isSame(one: Look, other: Look): boolean {
  const keys = Object.keys(NO_FILTERS) as (keyof Filters)[];
  return one.order === other.order && keys.every((key) => one.filters[key] === other.filters[key]);
}

/** What an address asks the queue to show: a view by its id, or filters by their names. */
export function asked(asks: Readonly<Record<string, string>> | undefined, views: readonly View[]): { view?: View; look?: Look } {
  if (!asks) return {};
  const view = views.find((one) => one.id === asks["view"]);
  if (view) return { view, look: lookOf(view.shows) };
  const names = Object.keys(asks).filter((name) => name in NO_FILTERS || name === "order");
  if (!names.length) return {};
  return { look: lookOf({ ...asks, free: asks["free"] === "1" } as Partial<Shows>) };
}

/** How an address says a look at the queue; nothing where all is shown as usual. */
export function asksOf(look: Look): Record<string, string> {
  const said = Object.entries(look.filters).filter(([, value]) => value !== "" && value !== false);
  const order = look.order === "deadline" ? [] : [["order", look.order]];
  return Object.fromEntries([...order, ...said.map(([name, value]) => [name, value === true ? "1" : String(value)])]);
}
