/* Calls the chat's API, which lives beside this file, and keeps the session's token. It shows nothing. */

const STORED_AS = "understudy.chat.session";
const REQUEST_MS_MAX = 20_000;
const RETRY_AFTER_S_MAX = 60;

/** The server did not do what was asked. `status` 0: there was no answer; `retryAfterS`: null where it does not say. */
export class Refused extends Error {
  constructor(status, retryAfterS = null) {
    super(`answered ${status}`);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Make a request under the session's token; gives the response if it is a success, else throws `Refused`. */
export async function request(path, { method = "GET", body, headers = {}, signal } = {}) {
  const all = { ...headers };
  if (session.token) all.authorization = `Bearer ${session.token}`;
  if (body !== undefined) all["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(new URL(path, import.meta.url), {
      method, headers: all, signal, cache: "no-store", credentials: "omit",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused(0);
  }
  if (!response.ok) throw new Refused(response.status, retryAfterS(response));
  return response;
}

/** Make a request and read its answer; throws `Refused`, also when that takes too long or breaks off. */
export async function json(path, options = {}) {
  const response = await request(path, { ...options, signal: AbortSignal.timeout(REQUEST_MS_MAX) });
  try {
    return await response.json();
  } catch {
    throw new Refused(0);
  }
}

function retryAfterS(response) {
  const value = response.headers.get("retry-after");
  if (!value) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 1), RETRY_AFTER_S_MAX) : null;
}

/** One conversation of this browser. Tells `onChange` whenever the token is another one, or none. */
export const session = {
  token: null,
  onChange: () => {},

  /** Read what this browser remembers; where storage is closed to us (some frames), memory alone has to do. */
  recall() {
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(STORED_AS) ?? "null")?.token;
    } catch { /* no storage, or nothing readable in it */ }
    if (typeof kept === "string" && kept) this.set(kept);
    return this.token;
  },

  /** Have a token: our own, another tab's, or a new one. */
  async ensure() {
    if (this.token || this.recall()) return;
    const made = await json("sessions", { method: "POST", body: {} });
    if (typeof made.token !== "string") throw new Refused(0);
    this.keep(made.token);
  },

  /** Remember a token, or forget it by null. */
  keep(token) {
    this.set(token);
    try {
      if (token) localStorage.setItem(STORED_AS, JSON.stringify({ token }));
      else localStorage.removeItem(STORED_AS);
    } catch { /* memory has it */ }
  },

  /** Forget a token the server refused, unless another tab has begun a new session meanwhile: then use that. */
  forget(token) {
    if (this.recall() === token) this.keep(null);
  },

  set(token) {
    if (token === this.token) return;
    this.token = token;
    this.onChange();
  },
};
