/** Every text of the autonomy screen: what each number means stands beside it as a sentence, not behind a pointer. */
import type { LabelSource, Level, SliceMove, SliceStatus, SliceStory } from "../api/autonomy";
import { POOLED, shareAlone, type Show, type Totals } from "../autonomy/grid";
import { topicWords } from "../text/topics";
import { count } from "./count";
import { STOP } from "./stop";

/** 12 %, 0.5 %, 3.53 %: as many digits as say something. */
export function percent(share: number): string {
  const value = share * 100;
  const digits = value === 0 || value >= 10 || Number.isInteger(value) ? 0 : value >= 1 ? 1 : 2;
  return `${Number(value.toFixed(digits))} %`;
}

export const confidence = (value: number): string => value.toFixed(3);
const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
const rounded = (value: number): string => String(Number(value.toFixed(2)));

/** A share of fewer drafts is said as a count. */
const SHARE_FROM = 20;

const OVER: Partial<Record<NonNullable<SliceStatus["stage"]>, string>> = {
  rolled_back: "rolled back", retired: "retired", shadow: "drafts for nobody yet", created: "drafts for nobody yet", gated: "drafts for nobody yet",
};
/** What a version does now, in a word or two. */
const standing = (one: SliceStatus): string =>
  one.answers >= 1 ? "answers now" : one.answers > 0 ? `answers ${percent(one.answers)} now` : ((one.stage && OVER[one.stage]) ?? "answers no more");

const LEVELS: Record<Level, { readonly name: string; readonly says: string }> = {
  shadow: { name: "shadow", says: "Drafts are made and shown to nobody; people answer." },
  assist: { name: "assist", says: "People decide on every draft." },
  probation: { name: "probation", says: "Drafts that are sure enough leave by themselves, and many of those are reviewed afterwards." },
  auto: { name: "auto", says: "Drafts that are sure enough leave by themselves, and a few of those are reviewed afterwards." },
  demoted: { name: "demoted", says: "It answered alone, went wrong and was taken back; people decide on every draft." },
};

const WHY: Record<string, string> = {
  alarm: "its audits showed more mistakes than were promised",
  incident: "a reply that had left by itself did harm",
  expired: "its certificate was too old",
  calibrator: "confidence is reckoned in another way now, so what was shown of the old one does not count",
  restarted: "somebody began anew",
  reviewers: "planted drafts showed that reviewers notice less than its promise counted on",
};

export const AUTONOMY = {
  standing,
  title: "Autonomy",
  failed: "How far each topic is could not be read.",
  old: (clock: string) => `This could not be read again. What you see is from ${clock}.`,
  again: "Try again",
  refused: "Your role does not show autonomy.",
  empty: "No draft has been judged yet.",
  emptyMore: "A topic appears here with its first draft that could have left by itself.",
  noMatch: "No topic is like that.",
  totals: (totals: Totals) =>
    [
      `${totals.alone} of ${count(totals.slices, "topic × channel", "topics × channels")} answer alone`,
      totals.proposed ? `${count(totals.proposed, "promotion waits", "promotions wait")} for a lead` : "",
      totals.demoted ? `${totals.demoted} demoted` : "",
      totals.owed ? `${count(totals.owed, "audit is", "audits are")} owed` : "",
    ].filter(Boolean).join(" · "),
  search: "Topic",
  show: "Show",
  shows: { all: "all", alone: "answers alone", proposed: "promotion proposed", people: "people decide", stopped: "stopped" } satisfies Record<Show, string>,
  table: "Topics by channels: how far each is",
  topic: "Topic",
  channel: (channel: string) => (channel === POOLED ? "all channels together" : channel),
  nothing: "no drafts",
  stopTopic: (topic: string) => `Stop ${topic}`,
  stopChannel: (channel: string) => `Stop the channel ${channel}`,
  stop: "Stop",
  resume: "Resume",
  levels: LEVELS,
  legend: "What the levels mean",
  legendMore: [
    ["answers now", "The version that drafts for new conversations, as Releases says; where nothing was released, the one that drafted last. It speaks for the cell."],
    ["labels", "What people said of drafts. The first 30 drafts of a version only say where thresholds stand; from then on labels are counted."],
    ["alone", "The share of the latest drafts (200 at most) that left without a person, of those that no rule holds anyway."],
    ["evidence", "How near the labels are to a certificate, of 100. Good ones raise it, bad ones pull it back. A lead confirms what is proposed at 100."],
    ["detector", "How near the audits are to an alarm, of 100. About 50 is usual while all is well; at 100 the slice is demoted by itself."],
  ] as const,
  attention: (seen: { share: number; is_measured: boolean; planted: number; caught: number; labels: number; labels_at_best: number }) =>
    `Reviewers notice at least ${percent(seen.share)} of bad drafts (${seen.is_measured ? `${seen.caught} of ${seen.planted} planted ones were caught` : "assumed, as too few planted drafts were judged"}): a certificate takes ${seen.labels} clean labels and more. With reviewers who notice everything it would be ${seen.labels_at_best}.`,

  cell: {
    nobody: "the version that answers now has no draft here",
    stopped: "stopped",
    proposed: (level: Level) => `${LEVELS[level].name} proposed`,
    alone: (one: SliceStatus) => {
      const share = shareAlone(one);
      if (!["probation", "auto"].includes(one.level) || one.on_hold) return "people decide";
      if (share === null) return "no draft yet";
      return one.lately < SHARE_FROM ? `${one.lately_alone} of ${one.lately} alone` : `${percent(share)} alone`;
    },
    labels: (one: SliceStatus) => (one.thresholds_wait_for ? `labels count after ${count(one.thresholds_wait_for, "more draft", "more drafts")}` : `${count(one.labels, "label", "labels")}, evidence ${one.evidence}`),
    detector: (one: SliceStatus) => `detector ${one.alarm}`,
    owed: (number: number) => `${count(number, "audit", "audits")} owed`,
    more: (number: number) => `${count(number, "other version", "other versions")}, not answering`,
    lends: "lends its certificate",
  },

  slice: {
    back: "Autonomy",
    title: (topic: string, channel: string) => `${topicWords(topic)} × ${channel === POOLED ? "all channels together" : channel}`,
    versions: "Agent version",
    notNow: (standing: string) => `This version answers nobody now: ${standing}. What follows is what it may do once it answers again.`,
    missing: "Nothing is known of this topic and channel.",
    loading: "Reading the slice…",
    meaning: "How it stands",
    actions: "What you can do",
    configured: "So says the configuration.",
    earned: "So says the evidence.",
    stopped: "A person stopped automatic replies here, so people decide on every draft whatever the level.",
    pooled: "Labels of all channels of this topic together. Nothing is answered by this; it lends its certificate to channels that have few labels of their own.",
    alone: (one: SliceStatus) => {
      const share = shareAlone(one);
      if (share === null) return "No draft has come that autonomy alone decides on.";
      return `Of the latest ${count(one.lately, "draft", "drafts")} that no rule holds anyway, ${one.lately_alone} (${percent(share)}) left by themselves.`;
    },
    threshold: (one: SliceStatus) =>
      one.threshold === null || !["probation", "auto"].includes(one.level)
        ? "No draft leaves by itself."
        : `Drafts leave by themselves from confidence ${confidence(one.threshold)} on.`,
    begins: (one: SliceStatus) => `${count(one.thresholds_wait_for, "more draft has", "more drafts have")} to come before labels are counted as evidence: the first 30 only say where thresholds stand.`,
    labels: (one: SliceStatus) =>
      `${count(one.labels, "label is", "labels are")} counted, with a loss of ${rounded(one.loss_sum)} in all${one.severe ? `, ${one.severe} of them harmful` : ""}${one.timeouts ? `, ${one.timeouts} of them because nobody judged in time` : ""}.`,
    evidence: (one: SliceStatus) =>
      one.evidence >= 100 ? "The evidence for a certificate is complete (100 of 100)." : `The evidence stands at ${one.evidence} of 100. A certificate takes at least ${one.labels_min} labels without any fault.`,
    breadth: (story: SliceStory) =>
      `Labels have to ${story.days_min ? `span ${count(story.days_min, "day", "days")} (they span ${rounded(story.days)}) and ` : ""}come from ${count(story.reviewers_min, "person", "people")} (so far ${story.reviewers}).`,
    guarantee: (one: SliceStatus) =>
      one.certified === null
        ? `Nothing is proved yet. The promise to be proved: a mean loss of at most ${percent(one.targets.risk_max)} and harm in at most ${percent(one.targets.severe_max)} of replies, with ${percent(1 - one.targets.delta)} confidence.`
        : `Proved: from confidence ${confidence(one.certified)} on${one.coverage === null ? "" : `, which ${percent(one.coverage)} of the judged drafts reach`}, the mean loss is at most ${percent(one.targets.risk_max)} and harm occurs in at most ${percent(one.targets.severe_max)} of replies, with ${percent(1 - one.targets.delta)} confidence.`,
    notEach: "That is about the average of this slice, not about each reply.",
    audits: (one: SliceStatus) =>
      one.audit_rate === null
        ? "Nothing is audited, as nothing leaves by itself."
        : one.thresholds_wait_for || !one.delivered
        ? `${percent(one.audit_rate)} of the replies that leave by themselves are drawn for a review afterwards${one.audits_owed ? `; ${count(one.audits_owed, "review is", "reviews are")} owed` : ""}.`
        : `${percent(one.audit_rate)} of the replies that leave by themselves are drawn for a review afterwards. ${one.audited} of ${one.delivered} counted replies were reviewed; ${count(one.audits_owed, "review is", "reviews are")} owed.`,
    burst: (left: number) => `The next ${left} replies are all reviewed, because something stirred the detector.`,
    awaiting: (number: number) => `${count(number, "draft waits", "drafts wait")} for a verdict; the oldest holds up all after it, as labels are counted in the order of the drafts.`,
    detector: (one: SliceStatus) =>
      one.thresholds_wait_for
        ? `The detector, which takes a slice back that goes wrong, begins with the evidence: in ${count(one.thresholds_wait_for, "more draft", "more drafts")}.`
        : one.delivered === 0
        ? "The detector watches what leaves by itself; no reply of this stretch of evidence is counted yet."
        : `The detector stands at ${one.alarm} of 100. About 50 is usual while all is well; at 100 the slice is demoted by itself.`,
    toAuto: (replies: number) => `Auto is proposed once ${replies.toLocaleString("en")} replies have left in probation.`,
    expires: (date: string) => `The certificate ends on ${date}; then people decide again until it is shown anew.`,

    proposal: (level: Level, threshold: number) => `${capital(LEVELS[level].name)} is proposed, from confidence ${confidence(threshold)} on.`,
    proposedAt: (clock: string) => `Proposed at ${clock}.`,
    confirm: "Confirm the promotion",
    confirmTitle: (topic: string, channel: string) => `Let ${topic} × ${channel} answer alone?`,
    confirmDoes: (level: Level, threshold: number) =>
      `From this moment on drafts with a confidence of ${confidence(threshold)} or more leave by themselves. ${LEVELS[level].says} If the audits show that it went wrong, it is taken back by itself.`,
    confirmAct: "Confirm",
    confirmed: (topic: string, channel: string) => `${topic} × ${channel} is promoted.`,
    decline: "Decline",
    declined: "Declined. It is proposed again when the evidence allows something else.",
    onlyLead: "A lead confirms or declines it.",
    hold: "Stop here",
    resume: "Resume here",
    wider: "A wider stop covers this slice; it is lifted where it was made.",
    restart: "Begin anew…",
    restartTitle: (topic: string, channel: string) => `Begin anew on ${topic} × ${channel}?`,
    restartDoes: "The evidence so far no longer counts, and people decide on every draft until it is shown again. This cannot be taken back.",
    restartAct: "Begin anew",
    restarted: "Begun anew, in assist and from no evidence.",
    cancel: "Leave it",
    notDone: (why: string) => `Not done: ${why}`,
    unknown: "No answer came, so it is not known whether this was done. Look again before you repeat it.",

    curve: "Risk and coverage",
    curveSays: (labels: number) =>
      `Were all drafts from some confidence on to leave: how many that would be (to the right) and how much would be wrong among them on average (upwards), by the ${count(labels, "label", "labels")} of this stretch of evidence. The curve is what was seen, and no promise.`,
    curveSummary: (story: SliceStory) => {
      const last = story.curve.at(-1);
      return last ? `With all drafts the mean loss seen is ${percent(last.risk)}; reviewers may see at most ${percent(story.risk_seen_max)}.` : "";
    },
    curveEmpty: "There is no label of this stretch of evidence yet.",
    seenMax: (story: SliceStory) => `at most ${percent(story.risk_seen_max)} seen`,
    seenMaxSays: (story: SliceStory, one: SliceStatus) =>
      `The dashed line: to promise ${percent(one.targets.risk_max)}, reviewers may see at most ${percent(story.risk_seen_max)}, as they notice ${percent(one.targets.sensitivity)} of what is bad.`,
    inForce: "in force",
    certified: "proved",
    coverage: "share of drafts",
    risk: "mean loss",
    asTable: "The same as a table",
    columns: { threshold: "From confidence", coverage: "Drafts", labels: "Labels", loss: "Mean loss seen", severe: "Harmful", proved: "Proved" },
    yes: "yes",
    no: "no",

    labelsTitle: "Labels over time",
    labelsSays: (bucket: string) => `What people said of drafts, in stretches of ${bucket}. Upwards: nothing lost. Downwards: something wrong.`,
    labelsEmpty: "Nobody has judged a draft of this slice yet.",
    sources: {
      review: "reviewed before it was sent",
      audit: "reviewed after it had left",
      carried: "carried over to a new version",
      nobody: "judged by nobody in time",
    } satisfies Record<LabelSource, string>,
    good: "good",
    bad: "bad",
    harmful: (number: number) => `${number} harmful`,
    labelColumns: { at: "From", source: "Source", good: "Good", bad: "Bad", severe: "Harmful", silent: "Said nothing" },
    bucket: (seconds: number) =>
      seconds < 60 ? `${seconds} seconds` : seconds < 3_600 ? count(seconds / 60, "minute", "minutes") : seconds < 86_400 ? count(seconds / 3_600, "hour", "hours") : count(seconds / 86_400, "day", "days"),

    history: "What happened",
    historySays: "From the ledger, the latest first.",
    historyEmpty: "Nothing has happened yet.",
    cut: "Older entries are in the ledger.",
    entry: (seq: number) => `entry ${seq}`,
    by: (name: string) => (name === "system" ? "by itself" : `by ${name}`),
    move: (one: SliceMove): string => {
      const from = one.threshold === null ? "" : ` from confidence ${confidence(one.threshold)} on`;
      switch (one.what) {
        case "began": return one.level ? `Evidence is gathered from here on, at ${LEVELS[one.level].name}${from}.` : "Evidence is gathered from here on.";
        case "proposed": return `${one.level ? capital(LEVELS[one.level].name) : "A promotion"} was proposed${from}.`;
        case "promoted": return `Promoted to ${one.level ? LEVELS[one.level].name : "a level"}${from}.`;
        case "declined": return "The proposal was declined.";
        case "burst": return `The next ${one.replies ?? ""} replies are all reviewed: ${one.why === "detector" ? "the detector was stirred" : `${one.why ?? "customers"} became more frequent`}.`;
        case "ended": {
          const why = WHY[one.why ?? ""] ?? one.why ?? "";
          return one.level === "demoted" ? `Demoted: ${why}.` : `The stretch of evidence ended: ${why}.`;
        }
        case "stopped": return `Automatic replies were stopped ${STOP.place(one.topic, one.channel)}${one.why ? `: “${one.why}”` : ""}.`;
        case "resumed": return `Automatic replies were resumed ${STOP.place(one.topic, one.channel)}.`;
        default: return one.what;
      }
    },
  },
} as const;
