/** Figures in words and in the order a table asks for. Too few cases are said, never shown as a number. */
import type { Change, Figures, Share, Wait } from "../api/quality";

export type FigureName = {
  [name in keyof Figures]: Figures[name] extends Share | Wait ? name : never;
}[keyof Figures];

export const isWait = (figure: Share | Wait): figure is Wait => "cases" in figure;

/** 12 %, 3.4 %, 0.2 %: as many digits as say something. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)} %`;
}

/** 0.8 s, 12 s, 4 min, 2.5 h, 3 days. */
export function seconds(s: number): string {
  if (s < 10) return `${Number(s.toFixed(1))} s`;
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Number((s / 3600).toFixed(s < 36_000 ? 1 : 0))} h`;
  return `${Math.round(s / 86_400)} days`;
}

/** The number that stands for a figure; null where there are too few cases. */
export const valueOf = (figure: Share | Wait): number | null => (isWait(figure) ? figure.p50_s : figure.share);
export const lowOf = (figure: Share | Wait): number | null => (isWait(figure) ? figure.p50_low_s : figure.low);
export const highOf = (figure: Share | Wait): number | null => (isWait(figure) ? figure.p50_high_s : figure.high);
export const casesOf = (figure: Share | Wait): number => (isWait(figure) ? figure.cases : figure.of);

export function said(figure: Share | Wait): string | null {
  const value = valueOf(figure);
  return value === null ? null : isWait(figure) ? seconds(value) : percent(value);
}

/** 38–49 %, 3.4–3.8 s, or 50 s – 2 min. */
export function between(figure: Share | Wait): string | null {
  const low = lowOf(figure);
  const high = highOf(figure);
  if (low === null || high === null) return null;
  const [from, to] = isWait(figure) ? [seconds(low), seconds(high)] : [percent(low), percent(high)];
  const isOneUnit = from.split(" ")[1] === to.split(" ")[1];
  return isOneUnit ? `${from.split(" ")[0]}–${to}` : `${from} – ${to}`;
}

/** By how much a figure changed: in points, or in time. */
export function by(figure: Share | Wait, change: Change): string {
  const size = Math.abs(change.by ?? 0);
  return isWait(figure) ? seconds(size) : `${Number((size * 100).toFixed(size < 0.1 ? 1 : 0))} points`;
}

export type Named = { readonly name: string; readonly figures: Figures };
export type Order = { readonly column: "name" | "turns" | FigureName; readonly down: boolean };

/** Rows in the order of a column; those that say nothing in it come last either way. */
export function sorted(rows: readonly Named[], order: Order): Named[] {
  const key = ({ name, figures }: Named): number | string | null =>
    order.column === "name" ? name.toLowerCase() : order.column === "turns" ? figures.turns : valueOf(figures[order.column]);
  return [...rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || one.name.localeCompare(other.name);
    const difference = typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b);
    return (order.down ? -difference : difference) || one.name.localeCompare(other.name);
  });
}
