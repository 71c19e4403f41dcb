/* Who is at work on the other side, and notices above the composer. It calls no server. */

import { log } from "./log.js";
import { WORDS } from "./words.js";

const LONG_WAIT_MS = 20_000;

const part = (id) => document.getElementById(id);

export const presence = {
  /** `idle`, `working` (an answer is being written) or `person` (a person has taken over). */
  status: "idle",
  timer: 0,

  set(status) {
    if (!["idle", "working", "person"].includes(status) || status === this.status) return;
    const stick = log.isAtEnd();
    this.status = status;
    part("presence").textContent = status === "person" ? WORDS.presencePerson : WORDS.presence;
    part("ask-person").hidden = status === "person";
    clearTimeout(this.timer);
    part("working").hidden = status !== "working";
    part("working-words").textContent = status === "working" ? WORDS.working : "";
    if (status === "working") {
      this.timer = setTimeout(() => { part("working-words").textContent = WORDS.workingLong; }, LONG_WAIT_MS);
    }
    if (stick) log.scrollToEnd();
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
