/* The web chat's page: puts its parts together and listens to the customer's hands. Texts are only ever set as text.

     words     what the chat says by itself          log      the conversation on the screen
     server    calls and the session's token         outbox   sends what the customer writes
     stream    follows what is said                  presence who is at work, and notices
     colour    the operator's colour, readable                                                                    */

import { paint } from "./colour.js";
import { log } from "./log.js";
import { outbox } from "./outbox.js";
import { notice, presence } from "./presence.js";
import { Refused, json, session } from "./server.js";
import { catchUp, pollWhileUnheard, stream } from "./stream.js";
import { WORDS } from "./words.js";

const part = (id) => document.getElementById(id);
const parameters = new URLSearchParams(location.search);
/** Inside the panel of widget.js, which says so; another page's frame has its own way to close it. */
const isEmbedded = parameters.has("embedded") && window.parent !== window;
const hasMouse = matchMedia("(hover: hover) and (pointer: fine)").matches;

let unread = 0;
let wasAtEnd = true; // so that a keyboard sliding in does not hide the newest message

/** Ask how the operator wants the chat to look; without an answer it works under its own words. */
async function configure() {
  const words = (value, most) => (typeof value === "string" && value.trim() ? value.slice(0, most) : undefined);
  const own = isEmbedded ? { title: parameters.get("title"), colour: parameters.get("colour") } : {};
  let config = {};
  try {
    config = await json("config");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  part("title").textContent = words(own.title, 60) ?? words(config.title, 100) ?? WORDS.title;
  part("greeting").textContent = words(config.greeting, 1_000) ?? WORDS.greeting;
  presence.disclosure = words(config.disclosure, 1_000) ?? WORDS.disclosure;
  presence.refresh();
  if (!paint(own.colour)) paint(config.colour);
  showTitle();
}

function nameParts() {
  const labels = { scroll: "conversation", send: "send", "start-over": "startOver", close: "close" };
  for (const [id, word] of Object.entries(labels)) {
    part(id).setAttribute("aria-label", WORDS[word]);
    if (part(id).localName === "button") part(id).title = WORDS[word];
  }
  const texts = {
    "text-label": "messageLabel", "ask-person": "askPerson", hint: "keysHint", newest: "newest",
    "question-title": "startOverTitle", "question-text": "startOverText", "question-yes": "startOverYes",
    "question-no": "startOverNo",
  };
  for (const [id, word] of Object.entries(texts)) part(id).textContent = WORDS[word];
  part("text").placeholder = WORDS.messageHint;
  part("close").hidden = !isEmbedded;
  document.documentElement.classList.toggle("embedded", window.parent !== window);
}

function submit() {
  const text = part("text").value.trim();
  if (!text) return;
  part("text").value = "";
  grow();
  outbox.write(text);
}

/** Let the field grow with its text, up to the height the style sheet allows. */
function grow() {
  const text = part("text");
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + text.offsetHeight - text.clientHeight}px`;
  part("send").disabled = !text.value.trim();
}

function giveBack(text) {
  if (part("text").value) return;
  part("text").value = text;
  grow();
}

function startOver() {
  log.clear();
  session.keep(null);
  presence.refresh();
  notice.clear();
  part("text").focus();
}

function showTitle() {
  const title = part("title").textContent;
  document.title = unread ? WORDS.unread(unread, title) : title;
}

/** Tell the page around us; these words hold nothing that would have to be kept from a foreign page. */
function tellParent(what) {
  if (isEmbedded) window.parent.postMessage({ understudy: what }, "*");
}

function listenToHands() {
  part("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); part("text").focus(); });
  part("text").addEventListener("input", grow);
  part("text").addEventListener("keydown", (event) => {
    // While an input method composes, Enter chooses a word; 229 is how Safari says so.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  part("ask-person").addEventListener("click", () => { outbox.write(WORDS.askPersonMessage); part("text").focus(); });
  part("newest").addEventListener("click", () => { log.scrollToEnd(); part("scroll").focus({ preventScroll: true }); });
  part("scroll").addEventListener("scroll", () => {
    wasAtEnd = log.isAtEnd();
    if (wasAtEnd) part("newest").hidden = true;
  });
  part("close").addEventListener("click", () => tellParent("close"));
  part("start-over").addEventListener("click", () => {
    part("question").returnValue = "";
    part("question").showModal();
  });
  part("question").addEventListener("close", () => { if (part("question").returnValue === "yes") startOver(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !part("question").open) tellParent("close");
  });
}

function listenToTheWorld() {
  session.onChange = () => {
    part("start-over").hidden = !session.token;
    log.closeHistory();
    presence.set("idle");
    stream.stop();
  };
  log.onAnswer = (answer) => { outbox.write(answer); part("text").focus(); };
  log.onReply = () => {
    if (part("log").getAttribute("aria-busy") === "true") return;
    presence.refresh();
    tellParent("reply");
    if (document.hidden) unread += 1;
    showTitle();
  };
  outbox.onReturned = giveBack;
  window.addEventListener("online", () => stream.wake());
  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.data?.understudy === "opened") focusInside();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    unread = 0;
    showTitle();
    stream.wake();
  });
  new ResizeObserver(() => { if (wasAtEnd) log.scrollToEnd(); }).observe(part("scroll"));
}

function focusInside() {
  // With a finger the keyboard would jump up and cover the chat: there the title takes the focus.
  (hasMouse ? part("text") : part("title")).focus({ preventScroll: true });
  log.scrollToEnd();
}

async function start() {
  nameParts();
  listenToHands();
  listenToTheWorld();
  grow();
  const configured = configure();
  if (session.recall()) {
    part("log").setAttribute("aria-busy", "true"); // history is no news: it is not read out
    await catchUp();
    part("log").setAttribute("aria-busy", "false");
    log.scrollToEnd();
    stream.start();
  }
  pollWhileUnheard();
  presence.start();
  await configured;
  if (hasMouse && !isEmbedded) part("text").focus();
  tellParent("ready");
}

start();
