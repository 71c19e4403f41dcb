/** Moments as an auditor reads them: the day and the time to the second, in the reader's own zone; and from a form to the API and back. */

const two = (number: number): string => String(number).padStart(2, "0");

/** 2026-05-02 10:00:01, in the reader's zone. */
export function moment(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** How long after the first: +0.4 s, +12 min. */
export function after(first: string, text: string): string {
  const ms = Date.parse(text) - Date.parse(first);
  if (ms < 1) return "";
  if (ms < 100) return `+${Math.round(ms)} ms`;
  if (ms < 90_000) return `+${(ms / 1000).toFixed(1)} s`;
  if (ms < 90 * 60_000) return `+${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `+${Math.round(ms / 3_600_000)} h`;
  return `+${Math.round(ms / 86_400_000)} days`;
}

/** What a field for a moment holds, as the API takes it; empty where it holds none. */
export function toApi(local: string): string {
  const at = new Date(local);
  return local && !Number.isNaN(at.getTime()) ? at.toISOString() : "";
}

/** The same the other way. */
export function toField(text: string | undefined): string {
  return text ? moment(text).slice(0, 16).replace(" ", "T") : "";
}
