/** Where the effect of a gate, its interval, zero and the margin stand on a line. Pure: units of the drawing only. */

export type IntervalDrawing = {
  readonly zero: number;
  readonly margin: number | null;
  readonly low: number;
  readonly high: number;
  readonly effect: number;
  /** Whether an end lies beyond what is drawn. */
  readonly isCutLow: boolean;
  readonly isCutHigh: boolean;
  readonly ticks: readonly { readonly at: number; readonly value: number }[];
};

const REACH_MIN = 0.05;

/** Draws from `left` to `right`; the scale is the same on both sides of zero, and round. */
export function intervalDrawing(effect: number, [low, high]: readonly [number, number], margin: number | null, left: number, right: number): IntervalDrawing {
  const most = Math.max(REACH_MIN, Math.abs(effect) * 1.25, (margin ?? 0) * 1.5, Math.min(1, Math.max(Math.abs(low), Math.abs(high)) * 1.1));
  const reach = [0.05, 0.1, 0.2, 0.25, 0.5, 1].find((one) => one >= most) ?? 1;
  const x = (value: number): number => left + ((Math.min(reach, Math.max(-reach, value)) + reach) / (2 * reach)) * (right - left);
  return {
    zero: x(0),
    margin: margin === null ? null : x(margin),
    low: x(low),
    high: x(high),
    effect: x(effect),
    isCutLow: low < -reach,
    isCutHigh: high > reach,
    ticks: [-reach, -reach / 2, 0, reach / 2, reach].map((value) => ({ at: x(value), value })),
  };
}
