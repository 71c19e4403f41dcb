/** Where findings stand in a draft: the draft cut into pieces, each with the findings that cover it. */
import type { Finding } from "../api/types";

export const SEVERITIES = ["unknown", "blocking", "major", "minor", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

export type Numbered = { readonly number: number; readonly finding: Finding };
export type Marked = { readonly text: string; readonly covering: readonly Numbered[]; readonly ending: readonly Numbered[] };

function rank(finding: Finding): number {
  return Math.max(0, SEVERITIES.indexOf(finding.severity as Severity));
}

/** Number findings from 1, worst first, then as they stand in the draft. */
export function numbered(findings: readonly Finding[]): Numbered[] {
  return [...findings]
    .sort((a, b) => rank(a) - rank(b) || (a.span?.start ?? -1) - (b.span?.start ?? -1))
    .map((finding, place) => ({ number: place + 1, finding }));
}

/** Cut a draft at the edges of all spans. The server counts characters, not the halves that a browser makes of some. */
export function marked(draft: string, findings: readonly Numbered[]): Marked[] {
  const characters = Array.from(draft);
  const spans = findings.flatMap((one) => {
    const span = one.finding.span;
    return span ? [{ one, start: Math.min(span.start, characters.length), end: Math.min(span.end, characters.length) }] : [];
  });
  const edges = [...new Set([0, characters.length, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((start, place) => {
    const end = edges[place + 1]!;
    return {
      text: characters.slice(start, end).join(""),
      covering: spans.filter((span) => span.start <= start && end <= span.end).map(({ one }) => one),
      ending: spans.filter((span) => span.end === end && span.start < end).map(({ one }) => one),
    };
  });
}
