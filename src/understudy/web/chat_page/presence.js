/* Who is at work on the other side, and notices above the composer. It calls no server. */

import { log } from "./log.js";
import { WORDS } from "./words.js";

const LONG_WAIT_MS = 20_000;
const UNANSWERED_MS = 5_000;
const REFRESH_MS = 1_000;

const part = (id) => document.getElementById(id);

/** Set a text, only where it is another one: what is set anew may be read out again. */
function put(id, text) {
  if (part(id).textContent !== text) part(id).textContent = text;
}

export const presence = {
  /** `idle`, `working` (an answer is being written) or `person` (a person has taken over). */
  status: "idle",
  since: 0,
  /** What the operator says of whom one is talking with; while a person answers it would be wrong. */
  disclosure: WORDS.disclosure,

  set(status) {
    if (!["idle", "working", "person"].includes(status) || status === this.status) return;
    this.status = status;
    this.since = Date.now();
    part("ask-person").hidden = status === "person";
    this.refresh();
  },

  /** Say what a customer who waits should know. */
  refresh() {
    const isPerson = this.status === "person";
    put("presence", isPerson ? WORDS.presencePerson(log.personName()) : WORDS.presence);
    put("disclosure", isPerson ? WORDS.disclosurePerson : this.disclosure);
    const words = this.words();
    if (words === part("working-words").textContent) return;
    const stick = log.isAtEnd();
    part("working-words").textContent = words;
    part("working").hidden = !words;
    part("dots").hidden = this.status !== "working";
    if (stick) log.scrollToEnd();
  },

  words() {
    if (this.status === "working") return Date.now() - this.since < LONG_WAIT_MS ? WORDS.working : WORDS.workingLong;
    // Nobody writes, and the customer spoke last: a person has it, and silence would look like a loss.
    return log.unansweredMs() > UNANSWERED_MS ? WORDS.arrived : "";
  },

  start() {
    setInterval(() => this.refresh(), REFRESH_MS);
  },
};

export const notice = {
  timer: 0,

  /** Say something, for good or for so many milliseconds. */
  say(text, forMs = 0) {
    clearTimeout(this.timer);
    if (part("notice").textContent !== text) part("notice").textContent = text;
    if (forMs) this.timer = setTimeout(() => this.clear(), forMs);
  },

  /** Say nothing more; given a text, only if that is what is being said. */
  clear(text = part("notice").textContent) {
    if (part("notice").textContent !== text) return;
    clearTimeout(this.timer);
    part("notice").textContent = "";
  },
};
