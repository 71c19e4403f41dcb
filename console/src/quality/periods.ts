/** Which time is looked at. An address names it, so that a link shows the same; days begin at the reader's midnight. */
export type PeriodName = "day" | "week" | "month" | "quarter";
export type Period = { readonly name: PeriodName; readonly days: number; readonly bucket: "hour" | "day" };

export const PERIODS: readonly Period[] = [
  { name: "day", days: 1, bucket: "hour" },
  { name: "week", days: 7, bucket: "day" },
  { name: "month", days: 28, bucket: "day" },
  { name: "quarter", days: 91, bucket: "day" },
];

export const USUAL: PeriodName = "month";

export function periodOf(name: string | undefined): Period {
  return PERIODS.find((one) => one.name === name) ?? (PERIODS.find((one) => one.name === USUAL) as Period);
}

/** From when on: whole days up to today's end, or the last 24 whole hours. */
export function spanOf(period: Period, now: Date): { from: string; to: string } {
  const end = new Date(now);
  if (period.bucket === "hour") end.setMinutes(60, 0, 0);
  else end.setHours(24, 0, 0, 0);
  const start = new Date(end.getTime() - period.days * 86_400_000);
  return { from: start.toISOString(), to: end.toISOString() };
}
