/** Every text of what stands around the queue and the review: taking back, views, keys, canned replies, others, history. */
import type { Refusal } from "../keys";
import type { Variable } from "../desk/variables";

const VERDICTS: Record<string, string> = {
  approve: "approved", edit: "edited", reject: "rejected", respond: "answered by hand", take_over: "taken over",
};

export const DESK = {
  undo: {
    label: "Verdicts that you can still take back",
    left: (seconds: number) => `in ${seconds} s.`,
    act: "Take back",
    nothing: "There is nothing to take back any more.",
    done: (count: number) => (count === 1 ? "Taken back. It is before you again." : `${count} taken back. They wait again.`),
    tooLate: (late: number, all: number) =>
      all === 1 ? "Too late: it took effect already." : `Too late for ${late} of ${all}: they took effect already.`,
    lapsed: (why: string) => `Your last verdict had no effect. ${why}`,
  },
  views: {
    label: "Views",
    all: "Everything",
    save: "Keep this view…",
    name: "Name of the view",
    share: "for everybody",
    act: "Keep",
    cancel: "Cancel",
    overwrite: (name: string) => `Write “${name}” anew`,
    remove: (name: string) => `Remove “${name}”`,
    kept: (name: string) => `Kept as “${name}”.`,
    removed: (name: string) => `“${name}” is removed.`,
    sharedBy: (name: string) => `shared by ${name}`,
  },
  others: {
    here: (names: readonly string[]) => `Also here: ${names.join(", ")}`,
    looks: (name: string) => `${name} looks`,
    looking: (name: string) => `${name} is looking at this too.`,
  },
  keys: {
    change: (what: string) => `Change the key: ${what}`,
    press: "Press the new key, or Esc to leave it.",
    reset: "All keys as they came",
    isReset: "The keys are as they came.",
    saved: (key: string, what: string) => `${key}: ${what}.`,
    failed: "The key could not be kept.",
    refused: (key: string, refused: Refusal): string => {
      if (refused.why === "taken") return `${key} is taken: ${refused.by.says}.`;
      if (refused.why === "digit") return "Digits open views and name reasons.";
      if (refused.why === "plain") return "While writing, a key needs Ctrl, or it would be written.";
      return "This key cannot be had.";
    },
  },
  alike: {
    act: (count: number) => `Approve ${count} alike`,
    title: (count: number) => `${count} more customers wait with exactly this draft`,
    explain: "Look at what each asked. Each gets the same text; for autonomy they count as one.",
    send: (count: number) => `Approve these ${count}`,
    done: (count: number) => `${count} approved.`,
    waits: (count: number) => `${count} approved. They are sent`,
    refused: (count: number) => `${count} changed meanwhile and wait on.`,
  },
  canned: {
    title: "Replies",
    pick: "A canned reply",
    search: "Find one by its words",
    none: "None has these words.",
    nothing: (mayAdd: boolean) => `There are no canned replies yet; ${mayAdd ? "under Replies you can add some" : "a lead can add some"}.`,
    empty: (mayAdd: boolean) => `There are no canned replies yet${mayAdd ? ". Add the first." : "; a lead can add some."}`,
    missing: (names: readonly string[]) => `Still to be filled in: ${names.map((name) => `{${name}}`).join(", ")}`,
    unknown: (names: readonly string[]) => `Nobody fills in ${names.map((name) => `{${name}}`).join(", ")}.`,
    hint: "/ where a line begins brings a canned reply",
    intro: "Texts that reviewers begin a reply with. Words in braces are filled in from the conversation; what is not known has to be filled in by hand before it is sent.",
    variables: {
      customer: "the customer's name",
      first_name: "its first word",
      reviewer: "who answers",
      business: "the business",
      topic: "what it is about",
      channel: "the channel",
      email: "the customer's e-mail address",
    } satisfies Record<Variable, string>,
    name: "Name",
    text: "Text",
    add: "Add a reply",
    change: "Change",
    remove: "Remove",
    save: "Save",
    cancel: "Leave",
    saved: "Saved.",
    removed: "Removed.",
    failed: "The canned replies could not be read.",
    by: (name: string, when: string) => `${name}, ${when}`,
    sure: (name: string) => `Remove “${name}” for everybody?`,
  },
  history: {
    title: "What is known",
    story: "its story",
    others: (count: number) => (count === 1 ? "One other conversation" : `${count} other conversations`),
    failed: "What else is known could not be read.",
    first: "Their first contact.",
    counts: (turns: number, agent: number, reviewed: number, person: number, since: string) =>
      `${turns} ${turns === 1 ? "question" : "questions"} since ${since}: ${agent} answered by the agent alone, ${reviewed} after review, ${person} given to people.`,
    verdicts: "Last verdicts",
    kinds: VERDICTS,
    verdict: (kind: string, topic: string, channel: string) => `${VERDICTS[kind] ?? kind}: ${topic}, ${channel}`,
    tags: "Marked",
    more: "Also known as",
  },
  summary: {
    title: "What the agent did",
    noTurn: "It was not asked anything yet.",
    why: "Why a person is asked",
    draft: "Its draft, which was not sent",
    sent: "What was sent",
    called: "What it called",
    none: "It made no draft.",
    backTitle: "Hand back?",
    backExplain: "From the customer's next message on the agent answers again, and what nobody has answered it is asked now.",
    backUnanswered: "The customer's last message is not answered yet. The agent is asked.",
    backYes: "Hand back",
  },
} as const;
