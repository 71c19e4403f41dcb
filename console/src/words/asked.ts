/** How the console speaks of opt-outs and of customers who were asked how it was. */
import type { Contact } from "../api/types";

type Survey = NonNullable<Contact["surveys"]>[number];

export const ASKED = {
  none: (channel: string) => `Wants no messages on ${channel}:`,
  since: (said: string, day: string) => `they wrote “${said}” on ${day}. Nothing leaves there until they write START.`,
  title: "Asked how it was",
  story: "the turn",
  said: (scale: Survey["scale"], state: Survey["state"], score: number | null): string => {
    if (score === null) return state === "asked" ? "not answered yet" : "did not answer";
    if (scale === "thumbs") return score > 2 ? "thumbs up" : "thumbs down";
    return `${score} of 5`;
  },
  csat: {
    title: "What customers said when they were asked",
    alone: "Answered by the agent alone",
    people: "Answered or let out by people",
    content: "content (4 or 5)",
    answered: "answered the question",
    scores: "1 · 2 · 3 · 4 · 5",
    mean: (mean: number) => `${mean.toFixed(1)} on average`,
    nobody: "Nobody was asked in this time.",
  },
};
