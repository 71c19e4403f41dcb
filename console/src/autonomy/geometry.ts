/** Where things stand in the two charts of a slice, in the units of their own drawings. Pure: no page, no colour. */
import type { CurvePoint, LabelBucket, LabelSource } from "../api/autonomy";

export type Frame = { readonly width: number; readonly height: number; readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };

const inner = (frame: Frame): { readonly width: number; readonly height: number } => ({
  width: frame.width - frame.left - frame.right,
  height: frame.height - frame.top - frame.bottom,
});

/** Round numbers from 0 to at least `most`, about `count` of them. */
export function ticks(most: number, count: number): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999)!;
  const found: number[] = [];
  for (let place = 0; found.length === 0 || found.at(-1)! < most * 0.999; place += 1) found.push(Number((place * step).toPrecision(12)));
  return found;
}

export type RiskDrawing = {
  /** The curve as steps, from the strictest threshold to the laxest. */
  readonly path: string;
  readonly ticksX: readonly { readonly at: number; readonly value: number }[];
  readonly ticksY: readonly { readonly at: number; readonly value: number }[];
  x(coverage: number): number;
  y(risk: number): number;
};

/** The risk-coverage curve; the scale of risk reaches above the curve and above `highest`, such as what is promised. */
export function riskDrawing(curve: readonly CurvePoint[], highest: number, frame: Frame): RiskDrawing {
  const { width, height } = inner(frame);
  const values = ticks(Math.min(1, Math.max(highest * 1.6, ...curve.map((one) => one.risk)) || highest), 4);
  const top = values.at(-1)!;
  const x = (coverage: number): number => frame.left + width * Math.min(1, Math.max(0, coverage));
  const y = (risk: number): number => frame.top + height * (1 - Math.min(1, Math.max(0, risk / top)));
  const point = (one: CurvePoint): string => `${round(x(one.coverage))} ${round(y(one.risk))}`;
  const [first, ...rest] = curve;
  const path = first ? `M ${round(x(0))} ${round(y(first.risk))} L ${point(first)}${rest.map((one) => ` L ${point(one)}`).join("")}` : "";
  return {
    path, x, y,
    ticksX: [0, 0.25, 0.5, 0.75, 1].map((value) => ({ at: x(value), value })),
    ticksY: values.map((value) => ({ at: y(value), value })),
  };
}

/** The share of drafts at or above a threshold, as the curve has it; null where there is no curve. */
export function coverageAt(curve: readonly CurvePoint[], threshold: number): number | null {
  if (!curve.length) return null;
  return curve.reduce((covered, one) => (one.threshold >= threshold - 1e-12 ? Math.max(covered, one.coverage) : covered), 0);
}

export const SOURCES: readonly LabelSource[] = ["review", "audit", "carried", "nobody"];

export type LabelBar = {
  readonly at: string;
  readonly source: LabelSource;
  readonly kind: "good" | "bad";
  readonly count: number;
  readonly severe: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};
export type LabelDrawing = {
  readonly bars: readonly LabelBar[];
  readonly zero: number;
  readonly ticks: readonly { readonly at: number; readonly value: number }[];
  readonly first: string | null;
  readonly last: string | null;
  /** Where the stretch of time from `last` on ends. */
  readonly lastX: number;
};

/** Labels over time: good ones grow upwards from a line, bad ones downwards, in one scale, one colour for each source. */
export function labelDrawing(buckets: readonly LabelBucket[], bucketS: number, frame: Frame): LabelDrawing {
  const { width, height } = inner(frame);
  const moments = [...new Set(buckets.map((one) => one.at))].sort();
  const sum = (at: string, kind: "good" | "bad"): number => buckets.filter((one) => one.at === at).reduce((total, one) => total + one[kind], 0);
  const up = Math.max(1, ...moments.map((at) => sum(at, "good")));
  const down = Math.max(0, ...moments.map((at) => sum(at, "bad")));
  const scale = height / (up + down);
  const zero = frame.top + up * scale;
  const [begin, end] = [Date.parse(moments[0] ?? ""), Date.parse(moments.at(-1) ?? "")];
  const places = moments.length ? Math.round((end - begin) / 1000 / bucketS) + 1 : 1;
  const step = width / Math.max(places, 12);
  const bars: LabelBar[] = [];
  for (const at of moments) {
    const x = frame.left + step * Math.round((Date.parse(at) - begin) / 1000 / bucketS);
    let [above, below] = [zero, zero];
    for (const source of SOURCES) {
      const found = buckets.find((one) => one.at === at && one.source === source);
      if (!found) continue;
      const bar = { at, source, x: round(x), width: round(Math.max(1, step * 0.8)) };
      if (found.good) {
        above -= found.good * scale;
        bars.push({ ...bar, kind: "good", count: found.good, severe: 0, y: round(above), height: round(found.good * scale) });
      }
      if (found.bad) {
        bars.push({ ...bar, kind: "bad", count: found.bad, severe: found.severe, y: round(below), height: round(found.bad * scale) });
        below += found.bad * scale;
      }
    }
  }
  return {
    bars, zero,
    ticks: [{ at: frame.top, value: up }, { at: zero, value: 0 }, ...(down ? [{ at: frame.top + height, value: -down }] : [])],
    first: moments[0] ?? null,
    last: moments.at(-1) ?? null,
    lastX: round(frame.left + step * places),
  };
}

const round = (value: number): number => Math.round(value * 100) / 100;
