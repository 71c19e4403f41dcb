/** Every text about systems of record: what they said of a customer, what is unknown, and tickets. */

export const SYSTEMS = {
  title: "From the systems",
  about: { contact: "Contact", orders: "Orders", tickets: "Open tickets" } as Record<string, string>,
  of: (about: string, system: string) => `${about} in ${system}`,
  none: { contact: "Nobody is known there by this address.", orders: "No orders.", tickets: "No open tickets." } as Record<string, string>,
  age: (words: string) => `read ${words} ago`,
  old: (words: string) => `read ${words} ago, so it may be otherwise by now`,
  more: "There are more.",
  unknown: "Unknown",
  because: (why: string) => `${why.charAt(0).toUpperCase()}${why.slice(1)}. A draft that states it does not pass.`,
  one: { contact: "Contact", orders: "Order", tickets: "Ticket" } as Record<string, string>,
  see: (what: string, id: string, system: string) => `See ${what.toLowerCase()} ${id} in ${system}`,
  tickets: "Ticket",
  ticket: (system: string, number: string) => `${number} in ${system}`,
  ticketIs: {
    pending: "is about to be opened", sending: "is being opened", opened: "open", unknown: "may or may not be open: see there",
    dead: "could not be opened", dropped: "was not needed",
  } as Record<string, string>,
  stepOf: { note: "Told what was answered", assign: "Given to who answers", close: "Closed" } as Record<string, string>,
  stepIs: {
    pending: "is to be done", sending: "is being done", done: "done", unknown: "may or may not be done: see there",
    dead: "could not be done", dropped: "is not done",
  } as Record<string, string>,

  health: "Systems of record",
  healthNote: "What was looked up before agents drafted, by all processes. Each process has a breaker of its own.",
  row: { name: "System", breaker: "Breaker", asked: "Look-ups", known: "Told", unknown: "Unknown", p50: "Half within", p95: "95 % within" },
  drifted: (name: string) => `${name} answers otherwise than before`,
  why: {
    not_verified: "not verified", no_contact: "no contact", ambiguous: "ambiguous", timed_out: "timed out", unreachable: "unreachable",
    left_alone: "left alone", rate_limited: "rate limited", refused: "refused", nonsense: "nonsense", changed: "changed", stale: "stale",
  } as Record<string, string>,
  whys: (words: readonly string[]) => words.join(", ") || "–",
  many: (number: number, word: string) => `${number} ${word}`,
} as const;
