/* Follows the conversation by server-sent events, read through fetch because EventSource cannot carry the
   Authorization header. Resumes after the last message seen; what comes twice is told apart in log.js. */

import { log } from "./log.js";
import { notice, presence } from "./presence.js";
import { Refused, json, request, session, wait } from "./server.js";
import { WORDS } from "./words.js";

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 30_000;
const SILENCE_MS_MAX = 90_000; // a stream this silent may be dead without anybody having said so
const STEADY_MS = 10_000; // one that lasted this long was a good one: begin the back-off anew
const LOSS_SHOWN_AFTER_MS = 3_000;
const POLL_MS = 10_000; // some proxies hold a stream back: while an answer is due and nothing is heard, ask
const UNHEARD_MS_MAX = 20_000;
const FULL_PAGE = 50; // a list this long may not be all there is

export const stream = {
  isRunning: false,
  heardAt: 0,
  lostAt: 0,
  failures: 0,
  leastMs: BACKOFF_MS_MIN,
  /** Ends the present connection. */
  stop: () => {},
  /** Ends the present pause. */
  wake: () => {},

  /** Follow for as long as there is a session; does nothing where it already does. */
  async start() {
    if (this.isRunning) return;
    this.isRunning = true;
    while (session.token) {
      const { token } = session;
      const openedAt = Date.now();
      let askedMs = null;
      try {
        await this.listen();
      } catch (error) {
        // Whatever broke while reading, the remedy is the same: connect again.
        if (error.status === 401) expire(token);
        if (error.retryAfterS) askedMs = error.retryAfterS * 1000;
      }
      if (session.token !== token) continue;
      this.failures = Date.now() - openedAt > STEADY_MS ? 1 : this.failures + 1;
      this.showLoss();
      if (askedMs) await wait(askedMs);
      else await this.pause();
    }
    this.isRunning = false;
  },

  async listen() {
    const abort = new AbortController();
    this.stop = () => abort.abort();
    const openedAt = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - Math.max(this.heardAt, openedAt) > SILENCE_MS_MAX) this.stop();
    }, 5_000);
    try {
      // Sent from the first time on: "after 0" is everything, so nothing can fall between listing and following.
      const headers = { accept: "text/event-stream", "last-event-id": String(log.lastSeq) };
      const response = await request("events", { headers, signal: abort.signal });
      this.lostAt = 0;
      notice.clear(WORDS.offline);
      await this.read(response.body.pipeThrough(new TextDecoderStream()).getReader());
    } finally {
      clearInterval(watch);
      abort.abort();
    }
  },

  async read(reader) {
    const lines = new EventLines(take);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.heardAt = Date.now();
      lines.push(value);
      if (lines.retryMs) this.leastMs = Math.min(Math.max(lines.retryMs, BACKOFF_MS_MIN), BACKOFF_MS_MAX);
    }
  },

  /** Wait longer each time, and not all browsers equally long, so that a server that comes back is not overrun. */
  async pause() {
    const most = Math.min(this.leastMs * 2 ** (this.failures - 1), BACKOFF_MS_MAX);
    await Promise.race([wait(most / 2 + (Math.random() * most) / 2), new Promise((done) => { this.wake = done; })]);
  },

  showLoss() {
    this.lostAt ||= Date.now();
    setTimeout(() => { if (this.lostAt && session.token) notice.say(WORDS.offline); }, LOSS_SHOWN_AFTER_MS);
  },
};

/** Ask what was said since. */
export async function catchUp() {
  const { token } = session;
  if (!token) return;
  try {
    for (let isMore = true; isMore;) {
      const before = log.lastSeq;
      const { messages = [], status } = await json(`messages?after=${before}`);
      if (session.token !== token) return;
      for (const message of messages) log.receive(message);
      presence.set(status);
      isMore = messages.length >= FULL_PAGE && log.lastSeq > before; // the server lists a long history in pages
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) expire(token);
  }
}

/** While an answer is due and the stream says nothing, ask. */
export function pollWhileUnheard() {
  setInterval(() => {
    const isDue = presence.status === "working" || log.unansweredMs() > 0;
    if (isDue && !document.hidden && Date.now() - stream.heardAt > UNHEARD_MS_MAX) catchUp();
  }, POLL_MS);
}

/** The server no longer knows this session; what is on the screen stays there to be read. */
function expire(token) {
  if (session.token !== token) return;
  session.forget(token);
  if (!session.token) notice.say(WORDS.expired);
}

function take(event, data) {
  let said;
  try {
    said = JSON.parse(data);
  } catch {
    return; // not ours to understand: a newer server may say more than we know
  }
  if (event === "message") log.receive(said);
  if (event === "status") presence.set(said?.status);
}

/** Cuts a text/event-stream into events, whatever pieces it comes in. */
export class EventLines {
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    this.event = "message";
    this.data = [];
    this.retryMs = 0;
  }

  push(piece) {
    this.rest += piece;
    for (;;) {
      const end = this.rest.search(/[\r\n]/);
      // A \r at the very end may be the first half of \r\n: wait for the next piece.
      if (end < 0 || (this.rest[end] === "\r" && end === this.rest.length - 1)) return;
      const line = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + (this.rest.startsWith("\r\n", end) ? 2 : 1));
      this.line(line);
    }
  }

  line(line) {
    if (line === "") {
      if (this.data.length) this.onEvent(this.event, this.data.join("\n"));
      this.event = "message";
      this.data = [];
      return;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === "data") this.data.push(value);
    if (field === "event") this.event = value || "message";
    if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}
