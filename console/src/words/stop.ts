/** Every text of the stop button and of the bands that say where automatic replies are stopped. */

const place = (topic: string, channel: string): string => {
  if (topic === "*" && channel === "*") return "everywhere";
  if (channel === "*") return `on ${topic}, on every channel`;
  return topic === "*" ? `on the channel ${channel}` : `on ${topic} × ${channel}`;
};

export const STOP = {
  place,
  /** The middle word is left out on a narrow page; it is read out all the same. */
  press: ["Stop", "automatic", "replies"],
  region: "Where automatic replies are stopped",
  title: (topic: string, channel: string) =>
    topic === "*" && channel === "*" ? "Stop all automatic replies?" : `Stop automatic replies ${place(topic, channel)}?`,
  does: (topic: string, channel: string) =>
    topic === "*" && channel === "*"
      ? "From this moment on every draft waits for a person until somebody resumes, on every topic and channel, also on those that come up only later."
      : `From this moment on every draft ${place(topic, channel)} waits for a person until somebody resumes. Everything else goes on as it is.`,
  doesNot: "Replies that were decided before may still be on their way. Safe replies that a person wrote beforehand still leave where the agent fails or does not know. What was earned stays.",
  why: "Why? (shown to everybody, kept in the ledger; may be left empty)",
  act: (topic: string, channel: string) => (topic === "*" && channel === "*" ? "Stop everything" : "Stop here"),
  cancel: "Leave it running",
  done: (topic: string, channel: string) => `Automatic replies are stopped ${place(topic, channel)}.`,
  notDone: (why: string) => `Not stopped: ${why}`,
  unknown: "No answer came, so it is not known whether automatic replies are stopped. Pressing again is safe.",

  band: (topic: string, channel: string) => `Automatic replies are stopped ${place(topic, channel)}.`,
  effect: "Every draft waits for a person until somebody resumes.",
  effectHere: "Drafts there wait for a person until somebody resumes.",
  since: (name: string, clock: string, ago: string) => `By ${name} at ${clock}, ${ago} ago.`,
  reason: (why: string) => `“${why}”`,
  more: (count: number) => `And ${count} more places.`,
  resume: "Resume",
  resumeTitle: (topic: string, channel: string) => `Resume automatic replies ${place(topic, channel)}?`,
  resumeDoes: "Drafts that wait now still wait for a person. New drafts leave by themselves again, as far as their topic may answer alone.",
  resumeAct: "Resume",
  resumeCancel: "Stay stopped",
  resumed: (topic: string, channel: string) => `Automatic replies go on ${place(topic, channel)}, as they stood.`,
  notResumed: (why: string) => `Not resumed: ${why}`,
} as const;
