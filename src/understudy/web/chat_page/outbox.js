/* Sends what the customer writes: one message at a time, so that they arrive in the order they were written, and under
   a client id that is the same on every attempt, so that a repeat is harmless. */

import { log } from "./log.js";
import { notice } from "./presence.js";
import { Refused, json, session, wait } from "./server.js";
import { stream } from "./stream.js";
import { WORDS } from "./words.js";

const ATTEMPTS_MAX = 4; // when told to wait, or to begin a new session
const ATTEMPTS_UNANSWERED_MAX = 2;
const PAUSE_MS = 1_000;

const REASONS = { 400: WORDS.refused, 413: WORDS.tooLong, 422: WORDS.refused };

export const outbox = {
  queue: [],
  isBusy: false,
  /** Called with the text of a message the server will not take as it is. */
  onReturned: () => {},

  write(text) {
    this.add(log.write(text, newId(), (item) => { log.mark(item, "sending"); this.add(item); }));
  },

  async add(item) {
    this.queue.push(item);
    if (this.isBusy) return;
    this.isBusy = true;
    while (this.queue.length) await this.deliver(this.queue.shift());
    this.isBusy = false;
  },

  async deliver(item) {
    let isRenewed = false;
    for (let attempt = 1; item.state === "sending"; attempt += 1) {
      let token = null;
      try {
        await session.ensure();
        ({ token } = session);
        const taken = await json("messages", { method: "POST", body: { id: item.clientId, text: item.text } });
        if (session.token !== token) return; // the customer began a new chat meanwhile
        if (Number.isSafeInteger(taken.seq)) log.settle(item, taken.seq);
        else log.mark(item, "sent");
        if (isRenewed) notice.say(WORDS.renewed, 10_000);
        else notice.clear();
        stream.start();
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.status === 401 && token) {
          session.forget(token);
          isRenewed = true;
        }
        if (!(await shouldRepeat(error, attempt))) this.fail(item, error.status);
      }
    }
  },

  fail(item, status) {
    notice.clear();
    const reason = REASONS[status];
    if (reason && item.state === "sending") this.onReturned(item.text);
    log.mark(item, "failed", reason);
  },
};

/** Wait as long as the server asks and say whether to try again. */
async function shouldRepeat({ status, retryAfterS }, attempt) {
  if (status === 401) return attempt < ATTEMPTS_MAX;
  if (status === 429 || status === 503) {
    if (attempt >= ATTEMPTS_MAX) return false;
    const seconds = retryAfterS ?? 2 ** attempt;
    notice.say(WORDS.busy(seconds));
    await wait(seconds * 1000);
    return true;
  }
  if ((status && status < 500) || attempt >= ATTEMPTS_UNANSWERED_MAX) return false;
  await wait(PAUSE_MS);
  return true;
}

/** Make a version 4 UUID; `crypto.randomUUID` is missing on pages without TLS. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
