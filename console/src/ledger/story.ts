/** One turn's story put in order: what the records and the ledger's lines say, each thing once, in the order in which it happened. */
import type { Entry, Story } from "../api/ledger";
import { moment } from "./moments";

type Of<Kind extends string, Value> = { readonly key: string; readonly at: string; readonly kind: Kind; readonly who: string | null; readonly is: Value };
export type Step =
  | Of<"said", Story["said"][number]>
  | Of<"drafted", { readonly tookMs: number | null }>
  | Of<"judged", null>
  | Of<"waits", Story["holds"][number]>
  | Of<"verdict", Story["verdicts"][number]>
  | Of<"queued", Story["sent"][number]>
  | Of<"receipt", Story["sent"][number]["receipts"][number]>
  | Of<"feedback", Story["feedback"][number]>
  | Of<"label", NonNullable<NonNullable<Story["counted"]>["label"]>>
  | Of<"second", Story["seconds"][number]>
  | Of<"noted", Entry>;

/** Events whose record tells more than the ledger's line, and so stands in its place. */
const TOLD = new Set([
  "message.received", "agent.asked", "turn.drafted", "turn.gathered", "turn.decided", "hold.opened", "verdict.given", "outbox.queued",
  "outbox.sending", "outbox.accepted", "outbox.retry", "outbox.rejected", "outbox.dead", "outbox.unknown", "feedback.given", "label.given", "review.second_given",
]);

/** Of things at one moment, what comes of what: first the question, at last what was noted beside. */
const ORDER = ["said", "drafted", "judged", "waits", "verdict", "queued", "receipt", "feedback", "second", "label", "noted"];

export function steps(story: Story): Step[] {
  const { turn } = story;
  const found: Step[] = [
    ...story.said.map((is): Step => ({ key: `said-${is.seq}`, at: is.at, kind: "said", who: is.author_name, is })),
    ...story.holds.map((is): Step => ({ key: is.id, at: is.created_at, kind: "waits", who: null, is })),
    ...story.verdicts.map((is): Step => ({ key: is.id, at: is.at, kind: "verdict", who: is.reviewer, is })),
    ...story.sent.map((is): Step => ({ key: is.id, at: is.created_at, kind: "queued", who: is.author_name, is })),
    ...story.sent.flatMap((one) =>
      one.receipts.map((is): Step => ({ key: `${is.outbox_id}-${is.attempt}`, at: is.at, kind: "receipt", who: null, is })),
    ),
    ...story.feedback.map((is): Step => ({ key: `feedback-${is.kind}`, at: is.at, kind: "feedback", who: is.by, is })),
    ...story.seconds.map((is): Step => ({ key: `second-${is.hold_id}`, at: is.at, kind: "second", who: is.second.by, is })),
    ...story.entries.filter((one) => !TOLD.has(one.event)).map((is): Step => ({ key: `entry-${is.seq}`, at: is.at, kind: "noted", who: is.actor, is })),
  ];
  const drafted = draftedAt(story);
  if (drafted) found.push({ key: "drafted", at: drafted.at, kind: "drafted", who: turn.draft?.agent ?? null, is: { tookMs: drafted.tookMs } });
  if (turn.decided_at) found.push({ key: "judged", at: turn.decided_at, kind: "judged", who: null, is: null });
  const label = story.counted?.label;
  if (label) found.push({ key: "label", at: label.at, kind: "label", who: label.by, is: label });
  return found.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** When the draft was there and how long it took; the ledger knows, and without it the moment of the decision is the latest it can be. */
function draftedAt(story: Story): { at: string; tookMs: number | null } | null {
  const done = story.entries.find((one) => one.event === "turn.drafted");
  const asked = story.entries.find((one) => one.event === "agent.asked");
  if (done) return { at: done.at, tookMs: asked ? Date.parse(done.at) - Date.parse(asked.at) : null };
  if (!story.turn.draft && !story.turn.agent_error) return null;
  return { at: story.turn.decided_at ?? story.turn.created_at, tookMs: null };
}

/** What a reviewer's words change: the draft before, where they edited it; nothing where they wrote their own. */
export function edited(story: Story, verdict: Story["verdicts"][number]): string | null {
  return verdict.kind === "edit" && verdict.text !== null ? (story.turn.draft?.text ?? null) : null;
}

/** The numbers of a check's signal beside its findings; checks that found something first. */
export function checks(story: Story): { check: string; signal: number | null; findings: Story["turn"]["findings"] }[] {
  const names = new Set([...Object.keys(story.turn.signals), ...story.turn.findings.map((one) => one.check)]);
  const rows = [...names].map((check) => ({
    check,
    signal: story.turn.signals[check] ?? null,
    findings: story.turn.findings.filter((one) => one.check === check),
  }));
  return rows.sort((a, b) => b.findings.length - a.findings.length || a.check.localeCompare(b.check));
}

/** What the agent had besides the customer's own words: earlier messages of the conversation. */
export function earlier(story: Story): number {
  const evidence = story.evidence;
  return evidence ? evidence.messages.length - evidence.burst : 0;
}

const UNTOLD = new Set(["hold", "outbox", "candidate", "verdict", "text"]);
const isIdOrDigest = (value: string): boolean => /^([a-z]+-)?[0-9a-z]{24,}$/.test(value);

/** What an entry says beside its event, for people: without ids, digests and whatever says nothing. */
export function told(body: Readonly<Record<string, unknown>>): string {
  const words = (value: unknown): string => {
    if (Array.isArray(value)) return value.map(words).filter(Boolean).join(", ");
    if (value === null || value === undefined || value === "" || value === false) return "";
    if (value === true) return "yes";
    if (typeof value !== "string") return typeof value === "object" ? JSON.stringify(value) : String(value);
    if (isIdOrDigest(value)) return "";
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value) ? moment(value).slice(11) : value.replaceAll("_", " ");
  };
  return Object.entries(body)
    .filter(([name]) => !UNTOLD.has(name))
    .map(([name, value]) => [name.replaceAll("_", " "), words(value)] as const)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}: ${value}`)
    .join(" · ");
}
