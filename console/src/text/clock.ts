/** Moments as one says them in passing, in the reader's own zone and order; the ledger has its own, which can be sorted. */

const MINUTE = { hour: "2-digit", minute: "2-digit" } as const;
const DAY = { day: "numeric", month: "short" } as const;

/** 10:00 */
export function clock(moment: string): string {
  return new Date(moment).toLocaleTimeString(undefined, MINUTE);
}

/** 10:00:01 */
export function second(moment: string): string {
  return new Date(moment).toLocaleTimeString(undefined, { ...MINUTE, second: "2-digit" });
}

/** 2 May, 10:00 */
export function dayAndClock(moment: string): string {
  return new Date(moment).toLocaleString(undefined, { ...DAY, ...MINUTE });
}

/** 2 May, 10:00:01 */
export function dayAndSecond(moment: string): string {
  return new Date(moment).toLocaleString(undefined, { ...DAY, ...MINUTE, second: "2-digit" });
}
