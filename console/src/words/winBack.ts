/** Every text about what is written to customers whom a reply let down. */

export const WIN_BACK = {
  title: "To be written to the customer, in your name",
  from: (text: string) => `approved text ${text}`,
  nothingYet: "Nothing is sent before you say so.",
  until: (when: string) => `The channel takes it until ${when}.`,
  ended: "Nothing is proposed any more.",
  left: "It is left as it is; nothing is sent.",
  verdicts: { approve: "Send it", reject: "Not needed" },
  reasons: {
    "win back rejected": "A reply to this customer was found wrong after it had left.",
    "win back complaint": "This customer complained of a reply of the agent.",
    "win back thumbs down": "This customer disliked a reply of the agent.",
    "win back recontact": "This customer had to come back for what a reply of the agent should have settled.",
  } as Record<string, string>,

  made: "Made good",
  states: {
    noticed: "is looked at", proposed: "a message waits for a person", sent: "a message was sent", dismissed: "no message was needed",
    void: "no message any more", skipped: "no message was proposed",
  } as Record<string, string>,
  why: {
    with_person: "a person had the conversation", answered: "a person wrote to them since", opted_out: "they want no messages there",
    window_closed: "the channel took none any more", no_way: "the channel takes none", sent_lately: "another was sent lately",
    one_waits: "another one waited", no_text: "no approved text fitted", too_late: "it was too late", taken_over: "a person took over",
  } as Record<string, string>,
  line: (what: string, state: string, why: string | null, by: string | null) =>
    `${what.replace(/\.$/, "")}: ${state}${why ? `, ${why}` : ""}${by ? ` (${by})` : ""}`,

  figures: {
    title: "After something went badly",
    sent: "A person wrote to them",
    without: "Nobody wrote",
    outcomes: "Cases",
    back: "Came back about it",
    content: "Content when next asked",
    early: "Too early to say",
    about: (days: number) =>
      `What followed within ${days} days. Nobody drew by lot who was written to, so the two rows differ in more than the message.`,
  },
} as const;
