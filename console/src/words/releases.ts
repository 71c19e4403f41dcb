/** Every text of the releases screen and of the runs on it. */
import type { GateDetail, GateProgress, Move, Release, ReleaseStatus, RunProgress, SignalSeen, Stage, Trial, Verdict } from "../api/releases";
import type { Order } from "../releases/stages";
import { percent } from "./autonomy";
import { count } from "./count";

const signed = (value: number): string => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${percent(Math.abs(value))}`;
const STAGES: Record<Stage, { readonly name: string; readonly says: string }> = {
  created: { name: "created", says: "Written down. Nothing drafts with it until its gate has passed, or a person waives the gate." },
  gated: { name: "gated", says: "Its gate has passed, or was waived. It drafts for nobody yet." },
  shadow: { name: "shadow", says: "It drafts beside what answers; its drafts are compared and never sent." },
  canary: { name: "canary", says: "It drafts for a share of the new conversations." },
  full: { name: "full", says: "It drafts for every new conversation that no canary has." },
  rolled_back: { name: "rolled back", says: "It was taken back; another release drafts instead." },
  retired: { name: "retired", says: "Another took its place, or it was given up before it was let out." },
};

const VERDICTS: Record<Verdict, { readonly name: string; readonly says: string }> = {
  pass: { name: "pass", says: "No worse than the baseline by more than the margin, for sure enough." },
  fail: { name: "fail", says: "Worse than the baseline, or a case that must pass did not." },
  inconclusive: { name: "inconclusive", says: "It could not be told. That is never a pass." },
};

const SIGNALS: Record<SignalSeen["signal"], string> = {
  quality: "what reviewers said of its drafts",
  checks: "what checks found, and drafts that did not come",
  complaints: "complaints of customers",
  latency: "how long a draft takes",
  cost: "what a draft costs",
};
const TRENDS: Record<SignalSeen["trend"], string> = { worse: "worse", no_worse: "no worse", open: "not decided yet", missing: "too little to say" };
const RUN_STATES: Record<RunProgress["state"], string> = { waiting: "waits for its baseline", open: "under way", ended: "ended", given_up: "given up" };

type Asked = { readonly title: string; readonly does: string; readonly act: string; readonly danger: boolean; readonly why: "needed" | "may" | "no"; readonly done: string };

export const RELEASES = {
  title: "Releases",
  failed: "The releases could not be read.",
  refused: "Your role does not show releases.",
  missing: "There is no such release.",
  again: "Try again",
  old: (clock: string) => `This could not be read again. What you see is from ${clock}.`,
  empty: "No agent has a release.",
  emptyMore: "As long as there is none, what the configuration states answers. A release is one version of an agent: its model, prompt, tools and documents.",
  stages: STAGES,
  verdicts: VERDICTS,
  agent: (agent: string) => `Agent ${agent}`,
  answers: (entry: string, id: string) => `${entry} (${id}) answers.`,
  nobody: "No release of it answers; the configuration does, as it stands.",
  changed: "What the configuration states now was never made a release.",
  unreleased: (entry: string) => `Make a release of ${entry}`,
  createTitle: (entry: string) => `Make a release of ${entry}?`,
  createDoes: "Its content as the configuration states it now is written down. Where a gate is configured, servers run it against what answers; nothing is let out by this.",
  createAct: "Make it",
  created: (entry: string) => `${entry} is written down as a release.`,
  columns: { release: "Release", stage: "Stage", share: "New conversations", gate: "Gate", made: "Made", next: "What follows, or why" },
  table: (agent: string) => `Releases of ${agent}, the latest first`,
  share: (share: number) => (share ? percent(share) : "none"),
  gateNone: "no gate yet",
  gateFirst: "the first, nothing to compare it with",
  gateRunning: (gate: GateProgress) => `${gate.done} of ${gate.planned} trials`,
  waived: "waived",
  held: "held",
  made: (by: string, when: string) => `${by}, ${when}`,

  one: {
    back: "Releases",
    stage: "Stages",
    stepState: { done: "done", now: "here now", "to come": "to come", skipped: "skipped" },
    share: (release: Release) => `${percent(release.share)} of new conversations are its own.`,
    conversations: (number: number) => `So far ${count(number, "conversation", "conversations")}.`,
    held: (by: string, when: string, why: string) => `Held by ${by} since ${when}${why ? `: “${why}”` : ""}. Nothing but a person moves it.`,
    unstated: "The configuration no longer states this content, so it cannot be let out.",
    verified: (when: string) => `At ${when} it was seen that another answers in its place.`,
    unverified: (why: string | null) => `Nobody has seen yet that another answers in its place${why ? `: ${why}` : "."}`,
    advice: "What follows",
    stuck: "It may not go on as it is",
    steps: { go_on: "The next step may be taken", hold: "It stays", roll_back: "It should be taken back", inconclusive: "Not decided" } as Record<string, string>,
    facts: "What it is",
    names: { agent: "Agent", entry: "Entry", id: "Id", made: "Made", why: "Why", calls: "Calls itself", replaces: "Replaced" },
    parts: "Its content",
    signals: "Seen side by side with what answers",
    signalsSays: "Each signal is compared with the release that answers at the same time. Too little to say is no good news.",
    signal: SIGNALS,
    trend: TRENDS,
    signalColumns: { signal: "Signal", trend: "So far", pairs: "Comparisons", difference: "Difference", worse: "Evidence: worse", noWorse: "no worse" },
    difference: (value: number | null) => (value === null ? "–" : signed(value)),
    ofHundred: (value: number) => `${value} of 100`,
    harms: (number: number) => `${count(number, "automatic reply", "automatic replies")} of it did harm.`,
    redrafts: "Labels carried over from past drafts",
    redraft: (one: ReleaseStatus["redrafts"][number]) =>
      `${one.topic} × ${one.channel}: ${one.done} of ${one.drawn} past turns drafted once more; ${one.same} said the same, ${one.asked} were put before people, ${one.awaited} wait.`,
    moves: "What happened",
    move: (move: Move) => {
      const stage = STAGES[move.what as Stage] as { name: string } | undefined;
      const words: Record<string, string> = { held: "held where it was", resumed: "let go on", verified: "another was seen to answer", unverified: "nobody was seen to answer" };
      return stage?.name ?? words[move.what] ?? move.what;
    },
    by: (name: string) => (name === "system" ? "by itself" : `by ${name}`),
  },

  gate: {
    title: "The gate",
    none: "No gate has said anything of it yet.",
    waivedBy: (why: string) => `A person let it pass without a verdict: “${why}”.`,
    progress: { pending: "waits for its first trial", running: "under way", decided: "decided", given_up: "given up" } satisfies Record<GateProgress["state"], string>,
    running: (gate: GateProgress) => `${gate.done} of at most ${gate.planned} trials are made${gate.errors ? `, ${gate.errors} of them ended in an error` : ""}. A gate that is decided sooner begins no more.`,
    effect: (detail: GateDetail) => {
      const { effect, interval, pairs } = detail.result;
      if (!pairs) return "No case has a result of both, so nothing can be compared.";
      const word = effect > 0 ? "loses more than" : effect < 0 ? "loses less than" : "loses as much as";
      return `On average the candidate ${word} the baseline${effect ? `, by ${percent(Math.abs(effect))}` : ""}, between ${signed(interval[0])} and ${signed(interval[1])}, over ${count(pairs, "comparison", "comparisons")}.`;
    },
    rule: (margin: number | null) =>
      margin === null ? "It passes where the whole interval is below the margin, and fails where all of it is above zero." : `It passes where the whole interval is below the margin of ${signed(margin)}, and fails where all of it is above zero.`,
    drawing: "Effect with its interval",
    better: "← better",
    worse: "worse →",
    zero: "no difference",
    margin: (margin: number) => `margin ${signed(margin)}`,
    would: "What would decide it",
    errors: (number: number) => `${count(number, "trial", "trials")} ended in an error and count for neither.`,
    baseline: "Baseline",
    candidate: "Candidate",
    run: (what: string) => `Run of the ${what}`,
    suite: (suite: string) => `Suite ${suite}`,
    flips: (number: number) => `Cases that went the other way or blocked (${number})`,
    noFlips: "No case went the other way, and none blocked.",
    cut: "More cases flipped than are shown; the runs have them all.",
    rules: { ordinary: "", must_pass: "must pass", zero_tolerance: "tolerates no failure" },
    blocks: "blocked the gate",
    asked: "The customer",
    wasWrong: (words: string) => `What was wrong once: ${words}`,
    side: (side: { made: number; failed: number; errors: number }) => (side.made ? `failed ${side.failed} of ${side.made}` : "no trial is kept") + (side.errors ? `, ${count(side.errors, "error", "errors")}` : ""),
    noReply: "It gave no reply.",
    went: { fail: "broken", pass: "mended", plain: "as before" },
    failed: "What the gate said could not be read.",
  },

  orders: {
    title: "What you can do",
    none: "Nothing can be done about it from here.",
    press: {
      promote: (to: Stage, release: Release) => (to === "canary" && release.stage === "canary" ? "Another share…" : to === "gated" ? "Take it up again…" : `To ${STAGES[to].name}…`),
      again: "Run its gate again…",
      waive: "Waive the gate…",
      hold: "Hold it here…",
      resume: "Let it go on…",
      rollBack: "Roll back…",
      giveUp: "Give it up…",
      stopGate: "Stop the gate…",
    },
    shareLabel: "Share of new conversations, in percent",
    why: "Why? (kept with the release; may be left empty)",
    whyNeeded: "Why?",
    cancel: "Leave it",
    ask(order: Order, release: Release, to: Stage): Asked {
      const name = release.entry;
      switch (order) {
        case "promote":
          return { title: `Take ${name} to ${STAGES[to].name}?`, does: STAGES[to].says, act: `To ${STAGES[to].name}`, danger: false, why: "may", done: `${name} is at ${STAGES[to].name}.` };
        case "again":
          return { title: `Run the gate of ${name} again?`, does: "It goes on with the trials there are; only those that ended in an error are made again, so that nobody draws until the draw is a good one.", act: "Run it", danger: false, why: "may", done: `The gate of ${name} is asked for.` };
        case "waive":
          return { title: `Let ${name} pass without its gate?`, does: "It goes on although nothing compared it with what answers, and earns its autonomy from nothing. Say why; that stays with it.", act: "Waive the gate", danger: true, why: "needed", done: `The gate of ${name} is waived.` };
        case "hold":
          return { title: `Hold ${name} where it is?`, does: "Nothing but a person moves it until somebody lets it go on: it is not promoted by itself, and not taken back by itself either.", act: "Hold it", danger: false, why: "may", done: `${name} is held.` };
        case "resume":
          return { title: `Let ${name} go on?`, does: "From now on what is seen of it may move it again.", act: "Let it go on", danger: false, why: "no", done: `${name} goes on.` };
        case "rollBack":
          return { title: `Roll ${name} back?`, does: "The next draft of every conversation comes from another release at once, also where this one began the conversation.", act: "Roll back", danger: true, why: "may", done: `${name} is rolled back.` };
        case "giveUp":
          return { title: `Give ${name} up?`, does: "It is retired before it was let out. If its gate is under way, no more trials are begun.", act: "Give it up", danger: true, why: "may", done: `${name} is given up.` };
        case "stopGate":
          return { title: `Stop the gate of ${name}?`, does: "Servers begin no more trials of it. What was tried stays, and asked for again it goes on from there.", act: "Stop the gate", danger: false, why: "no", done: `The gate of ${name} is stopped.` };
      }
    },
    notDone: (why: string) => `Not done: ${why}`,
    unknown: "No answer came, so it is not known whether this was done. Look again before you repeat it.",
  },

  suites: {
    title: "Suites",
    says: "The folder of suites on the server. Rejected replies become cases of them; people edit the files.",
    failed: "The suites could not be read.",
    empty: "There is no suite yet: make a case of a turn that went wrong, with “understudy eval case add TURN”.",
    columns: { suite: "Suite", cases: "Cases", gate: "Gate", run: "Try a version on it" },
    ofGate: "every release has to pass it",
    version: (suite: string) => `Version to try on ${suite}`,
    run: "Run",
    asked: (suite: string, release: string) => `${suite} is being tried on ${release}.`,
  },
  runs: {
    title: "Runs of suites",
    says: "What servers were asked to try, those of gates among them, the latest first.",
    empty: "No server was asked for a run yet.",
    failed: "The runs could not be read.",
    missing: "No server was asked for this run. If a command line kept it, `understudy eval` shows it.",
    columns: { run: "Run", suite: "Suite", release: "Release", state: "State", progress: "Progress", asked: "Asked by" },
    state: RUN_STATES,
    progress: (run: RunProgress) => `${run.done} of ${run.state === "ended" && run.done < run.planned ? "at most " : ""}${run.planned}${run.under_way ? `, ${run.under_way} under way` : ""}${run.errors ? `, ${count(run.errors, "error", "errors")}` : ""}`,
    early: (run: RunProgress) => `Decided after ${run.read} trials; no more were begun.`,
    refused: (why: string) => `A server leaves its trials to others: ${why}`,
    cancel: "Give it up…",
    cancelTitle: "Give this run up?",
    cancelDoes: "No more of its trials are begun. Those that were made stay.",
    cancelAct: "Give it up",
    cancelled: "The run is given up.",
    trials: "Trials",
    trialsSays: "In the order of the run's plan, up to the first that is not made yet.",
    trialColumns: { case: "Case", trial: "Trial", outcome: "Outcome", loss: "Loss", decision: "Decision", took: "Took" },
    outcome: (trial: Trial) => (trial.error !== null ? "error" : trial.loss === 0 ? "passed" : "failed"),
    only: "Only failures and errors",
    more: "More trials",
    none: "No trial is made yet.",
    noneFailed: "None of the trials read so far failed.",
    reply: "Reply",
    grades: "What graders said",
    noReply: "no reply",
  },
} as const;
