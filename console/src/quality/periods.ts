/** Which time is looked at. An address names it, so that a link shows the same; days begin at the reader's midnight. */
export type PeriodName = "hour" | "day" | "week" | "month" | "quarter";
export type Period = { readonly name: PeriodName; readonly days: number; readonly bucket: "hour" | "day" };

export const PERIODS: readonly Period[] = [
  { name: "hour", days: 1 / 24, bucket: "hour" },
  { name: "day", days: 1, bucket: "hour" },
  { name: "week", days: 7, bucket: "day" },
  { name: "month", days: 28, bucket: "day" },
  { name: "quarter", days: 91, bucket: "day" },
];

export const USUAL: PeriodName = "month";

export function periodOf(name: string | undefined): Period {
  return PERIODS.find((one) => one.name === name) ?? (PERIODS.find((one) => one.name === USUAL) as Period);
}

/** From when on: whole days up to today's end, the last 24 whole hours, or the last 60 whole minutes. */
export function spanOf(period: Period, now: Date): { from: string; to: string } {
  const end = new Date(now);
  if (period.name === "hour") end.setSeconds(60, 0);
  else if (period.bucket === "hour") end.setMinutes(60, 0, 0);
  else end.setHours(24, 0, 0, 0);
  const start = new Date(end.getTime() - Math.round(period.days * 86_400_000));
  return { from: start.toISOString(), to: end.toISOString() };
}
