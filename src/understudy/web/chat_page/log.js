/* The conversation on the screen: what was said, in order, each message once. It never sets markup: every text goes in
   by textContent, and links in replies are built as elements, for https only. It calls no server. */

import { WORDS } from "./words.js";

const ONE_LABEL_MS = 300_000; // messages of one author this close together share a label
const NEAR_END_PX = 80;

const part = (id) => document.getElementById(id);

/* What is shown, in order. An item: {seq, clientId, author, name, ai, text, at, state, node, isConfirmed}. The state of
   what we write is sending, sent, failed or dropped; until the server took it its seq is Infinity, so it stays last. */
let items = [];

export const log = {
  /** The highest seq the server listed or streamed, in order; never that of an answer to a send: it may run ahead. */
  lastSeq: 0,
  /** Called with the answer that was chosen to a question how it was. */
  onAnswer: () => {},
  /** Called for each message of ours that was not there before. */
  onReply: () => {},

  /** Take in a message from the server; one seen before changes nothing, one written here is settled. */
  receive(message) {
    if (!Number.isSafeInteger(message?.seq) || typeof message.text !== "string") return;
    this.lastSeq = Math.max(this.lastSeq, message.seq);
    if (items.some((item) => item.seq === message.seq && item.isConfirmed)) return;
    const written = message.client_id && items.find((item) => item.clientId === message.client_id);
    if (written) {
      written.isConfirmed = true;
      this.settle(written, message.seq);
      return;
    }
    place({
      seq: message.seq, clientId: message.client_id, author: message.author, name: message.author_name,
      ai: message.ai_generated === true, text: message.text, at: new Date(message.at), state: "sent", isConfirmed: true,
      asks: message.asks,
    });
    if (message.author !== "customer") this.onReply();
  },

  /** Show at once what the customer writes, before anybody has taken it; `onRetry` is called for "Try again". */
  write(text, clientId, onRetry) {
    const item = {
      seq: Infinity, clientId, author: "customer", name: null, ai: false, text, at: new Date(), state: "sending",
      onRetry,
    };
    place(item);
    return item;
  },

  /** The server has taken it under this seq. */
  settle(item, seq) {
    if (item.state === "dropped") return;
    item.state = "sent";
    if (item.seq !== seq) {
      items = items.filter((other) => other !== item);
      item.seq = seq;
      place(item);
    }
    draw(item);
    tidy();
  },

  /** Change the state of what was written; `reason` instead of "Try again" where a repeat would not help. */
  mark(item, state, reason = null) {
    if (item.state === "dropped") return;
    item.state = state;
    item.reason = reason;
    draw(item);
    tidy();
  },

  /** Keep what is shown, but expect nothing more of it: another conversation begins, with its own numbers. */
  closeHistory() {
    this.lastSeq = 0;
    for (const item of items) {
      if (item.state === "sent") Object.assign(item, { seq: 0, isConfirmed: false, clientId: null });
    }
  },

  /** Take everything off the screen. */
  clear() {
    for (const item of items) item.state = "dropped";
    items = [];
    this.lastSeq = 0;
    part("log").replaceChildren();
  },

  /** How long the customer's last message has gone without an answer; 0 where we spoke last. */
  unansweredMs() {
    const last = items.at(-1);
    return last?.author === "customer" && last.state === "sent" ? Math.max(Date.now() - last.at, 1) : 0;
  },

  /** Who of the team wrote the last reply, by name; null where nobody of them did. */
  personName() {
    const last = items.findLast((item) => item.author !== "customer");
    return last?.author === "reviewer" && !last.ai ? last.name : null;
  },

  isAtEnd() {
    const scroll = part("scroll");
    return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
  },

  scrollToEnd() {
    part("scroll").scrollTop = part("scroll").scrollHeight;
    part("newest").hidden = true;
  },
};

/** Put an item where its seq belongs, and follow it where the reader was at the end. */
function place(item) {
  const stick = log.isAtEnd() || item.author === "customer";
  let index = items.length;
  while (index > 0 && items[index - 1].seq > item.seq) index -= 1;
  items.splice(index, 0, item);
  item.node ??= build(item);
  const next = items[index + 1]?.node ?? null;
  // Moved only where it must be: a moved node would be read out again.
  if (!item.node.isConnected || item.node.nextSibling !== next) part("log").insertBefore(item.node, next);
  draw(item);
  tidy();
  if (stick) log.scrollToEnd();
  else part("newest").hidden = false;
}

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};

function build(item) {
  const isCustomer = item.author === "customer";
  const node = make("div", `message ${isCustomer ? "from-customer" : "from-us"}`);
  if (item.author === "reviewer") node.classList.add("from-person");
  const by = make("p", "by");
  const time = make("time", "", timeOf(item.at));
  if (!Number.isNaN(item.at.getTime())) time.dateTime = item.at.toISOString();
  by.append(make("span", "who", labelOf(item)), " ", time);
  const text = make("div", "text");
  text.dir = "auto";
  text.append(...(isCustomer ? [item.text] : withLinks(item.text)));
  node.append(by, text);
  if (isCustomer) node.append(make("div", "state"));
  if (CHOICES[item.asks]) node.append(choices(item));
  return node;
}

const CHOICES = { score: ["1", "2", "3", "4", "5"], thumbs: ["\u{1F44D}", "\u{1F44E}"] };

/** Buttons that answer a question how it was, each by the message that it says; only while it is the last thing said. */
function choices(item) {
  const group = make("div", "choices");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", WORDS.rate);
  CHOICES[item.asks].forEach((answer) => {
    const button = make("button", "plain", answer);
    button.type = "button";
    button.setAttribute("aria-label", WORDS.rateWith(answer));
    button.addEventListener("click", () => log.onAnswer(answer));
    group.append(button);
  });
  return group;
}

function labelOf(item) {
  if (item.author === "customer") return WORDS.you;
  if (item.author === "reviewer") return item.ai ? WORDS.aiWith(item.name) : WORDS.person(item.name);
  if (item.author === "safe_reply" && !item.ai) return WORDS.automatic;
  return WORDS.ai;
}

function timeOf(at) {
  if (Number.isNaN(at.getTime())) return "";
  const day = at.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", ...day }).format(at);
}

// Ends at spaces, quotes, and at characters nobody sees, which could show another address than the link has.
const ADDRESS = /https:\/\/[^\s<>"'`\p{Cc}\p{Cf}]+/giu;

/** Split a reply into text and links: https only, and no user name, which could pass for a host (`bank.com@x.com`). */
function withLinks(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    let address = match[0];
    for (let before; before !== address;) {
      before = address;
      address = address.replace(/[.,;:!?*_…]+$/u, "");
      if (/[)\]}]$/.test(address) && !isBalanced(address)) address = address.slice(0, -1);
    }
    const url = URL.canParse(address) && new URL(address);
    if (!url || url.protocol !== "https:" || url.username || url.password) continue;
    const link = make("a", "", address);
    link.href = url.href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    parts.push(text.slice(end, match.index), link);
    end = match.index + address.length;
  }
  return [...parts, text.slice(end)];
}

const isBalanced = (text) => ["()", "[]", "{}"].every(([a, b]) => text.split(a).length >= text.split(b).length);

/** Show how far a message of the customer's has come. */
function draw(item) {
  const state = item.node.querySelector(".state");
  if (!state || item.node.dataset.state === item.state) return;
  item.node.dataset.state = item.state;
  state.replaceChildren();
  if (item.state === "sending") state.append(WORDS.sending);
  if (item.state === "sent") state.append(WORDS.sent);
  if (item.state !== "failed") return;
  state.append(item.reason ?? WORDS.failed);
  if (item.reason) return;
  const again = make("button", "plain", WORDS.retry);
  again.type = "button";
  again.addEventListener("click", () => item.onRetry(item));
  state.append(" ", again);
}

/** Give one label to messages of one author in a row, and "Sent" only to the newest of the customer's. */
function tidy() {
  const newest = items.findLast((item) => item.author === "customer" && item.state === "sent");
  items.forEach((item, index) => {
    const before = items[index - 1];
    const follows = before && labelOf(before) === labelOf(item) && item.at - before.at < ONE_LABEL_MS;
    item.node.classList.toggle("follows", Boolean(follows));
    item.node.classList.toggle("last-sent", item === newest);
    const rating = item.node.querySelector(".choices");
    if (rating) rating.hidden = index !== items.length - 1;
  });
}
