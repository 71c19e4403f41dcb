/** Every text about how customers' matters ended. */

export const RESOLUTION = {
  title: "How matters ended",
  about: (days: number, hours: number) =>
    `By who gave the last answer about a topic. A customer came back who wrote about it again within ${days} days; within ${hours === 1 ? "an hour" : `${hours} hours`} they only go on.`,
  alone: "Answered last by the agent alone",
  people: "Answered last with a person",
  confirmed: "Confirmed",
  assumed: "Assumed",
  recontacted: "Came back",
  discontent: "Complained",
  early: "Too early to say",
  within: "Came back within",
  days: (days: number) => (days === 1 ? "1 day" : `${days} days`),
  silence: "Assumed means that nothing was heard: silence, not consent. The four add up to all answers that are old enough.",
  failed: "How matters ended could not be read.",
} as const;
