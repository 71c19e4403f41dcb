/** What a chart over time draws, and what it says to whoever does not see it. */
import type { Figures } from "../api/quality";
import { between, highOf, lowOf, said, valueOf, isWait, type FigureName } from "../quality/say";

export type Point = { readonly at: string; readonly figures: Figures };
export type Line = { readonly name: FigureName; readonly label: string };
/** Seconds since 1970, then value, lower and upper bound of each line; null where there were too few cases. */
export type Columns = (number | null)[][];

export function columnsOf(points: readonly Point[], lines: readonly Line[]): Columns {
  const moments = points.map((point) => Date.parse(point.at) / 1000);
  const drawn = lines.flatMap(({ name }) =>
    [valueOf, lowOf, highOf].map((of) =>
      points.map(({ figures }) => {
        const value = of(figures[name]);
        return value === null ? null : isWait(figures[name]) ? value : value * 100;
      }),
    ),
  );
  return [moments, ...drawn];
}

export const isEmpty = (columns: Columns): boolean => columns.slice(1).every((column) => column.every((value) => value === null));

export type Cell = { readonly value: string | null; readonly between: string | null };
/** The same as rows of a table, without times of which nothing is said. */
export function rowsOf(points: readonly Point[], lines: readonly Line[]): { at: string; cells: Cell[] }[] {
  return points
    .map(({ at, figures }) => ({
      at,
      cells: lines.map(({ name }) => ({ value: said(figures[name]), between: between(figures[name]) })),
    }))
    .filter((row) => row.cells.some((cell) => cell.value !== null));
}
