/** The table of failures by topic: names in words, families of columns, and where an arrow key leads. Nothing is drawn here. */
import type { Insights } from "../api/quality";
import { WORDS } from "../words";
import { INSIGHTS } from "../words/insights";
import { percent } from "./say";

type Mode = Insights["modes"][number];
type Row = Insights["topics"][number];
export type Place = { readonly row: number; readonly column: number };
export type Family = { readonly name: string; readonly span: number };

const REASONS: ReadonlyMap<string, string> = new Map(WORDS.reject.reasons);

/** What a column is called under its family. */
export function codeWords({ family, code }: Pick<Mode, "family" | "code">): string {
  const own = code.startsWith(`${family}.`) ? code.slice(family.length + 1) : code;
  return (family === "reviewer" && REASONS.get(own)) || (INSIGHTS.codes[own] ?? own.replaceAll("_", " ").replaceAll(".", ": "));
}

export const familyWords = (family: string): string => INSIGHTS.families[family] ?? family.replaceAll("_", " ");
export const modeWords = (mode: Pick<Mode, "family" | "code">): string => `${familyWords(mode.family)}, ${codeWords(mode)}`;

/** Columns in the order of how much they hurt: families by their worst column, columns by how many turns show them. */
export function byHurt(modes: readonly Mode[]): Mode[] {
  const worst = new Map<string, number>();
  for (const { family, turns } of modes) worst.set(family, Math.max(worst.get(family) ?? 0, turns));
  const of = (family: string): number => worst.get(family) ?? 0;
  return [...modes].sort((a, b) => of(b.family) - of(a.family) || a.family.localeCompare(b.family) || b.turns - a.turns || a.code.localeCompare(b.code));
}

/** What is asked where no one failure is: every turn of a topic. */
export const ANY_MODE = "all";

/** Neighbouring columns of one family. */
export function familiesOf(modes: readonly Mode[]): Family[] {
  const found: Family[] = [];
  for (const { family } of modes) {
    const last = found.at(-1);
    if (last?.name === family) found[found.length - 1] = { name: family, span: last.span + 1 };
    else found.push({ name: family, span: 1 });
  }
  return found;
}

/** A row's cells in the order of the columns; undefined where no turn is behind one. */
export function cellsOf(row: Row, modes: readonly Mode[]): (Row["cells"][number] | undefined)[] {
  const byMode = new Map(row.cells.map((cell) => [cell.mode, cell]));
  return modes.map((mode) => byMode.get(mode.mode));
}

const WAYS: Readonly<Record<string, readonly [number, number]>> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The next filled cell that way, over empty ones; the same where there is none. `filled[row][column]`. */
export function led(from: Place, key: string, filled: readonly (readonly boolean[])[]): Place {
  const way = WAYS[key];
  if (!way) return from;
  let { row, column } = from;
  for (;;) {
    row += way[0];
    column += way[1];
    const is = filled[row]?.[column];
    if (is === undefined) return from;
    if (is) return { row, column };
  }
}

/** The steps of the scale in words, the lightest first. */
export function scaleOf(steps: readonly number[]): string[] {
  return steps.map((from, place) => {
    const next = steps[place + 1];
    if (place === 0 && next !== undefined) return INSIGHTS.stepFirst(percent(next));
    return INSIGHTS.step(percent(from), next === undefined ? null : percent(next));
  });
}
