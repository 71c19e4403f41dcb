/* Puts the web chat on any page: a round button and, once opened, a panel with a frame of /chat from this script's host.

     <script src="https://host/chat/widget.js" data-title="Chat with us" data-colour="#1f5f8b" async></script>

   One classic script without a dependency. Under a strict Content Security Policy the page needs this host in script-src
   and frame-src, no more. It sets no cookie, and asks the host for nothing before a customer opens the panel. */

(() => {
  const script = document.currentScript;
  const ID = "understudy-chat";
  if (!script || document.getElementById(ID)) return;

  const page = new URL("../chat", script.src);
  const title = (script.dataset.title || "Chat with us").slice(0, 60);
  const colour = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(script.dataset.colour ?? "") ? script.dataset.colour : "#1f5f8b";
  const isPhone = matchMedia("(max-width: 480px), (max-height: 480px)");

  const STYLE = `
    :host { all: initial; }
    [hidden] { display: none !important; }
    .button {
      position: fixed; z-index: 2147483000;
      right: max(20px, env(safe-area-inset-right)); bottom: max(20px, env(safe-area-inset-bottom));
      display: grid; place-items: center; width: 60px; height: 60px; padding: 0;
      border: 0; border-radius: 50%; background: var(--colour); color: var(--on-colour); cursor: pointer;
      box-shadow: 0 2px 6px rgb(0 0 0 / 18%), 0 8px 24px rgb(0 0 0 / 20%);
    }
    .button:focus-visible { outline: 3px solid var(--colour); outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .button svg {
      width: 28px; height: 28px; fill: none; stroke: currentColor; stroke-width: 2;
      stroke-linecap: round; stroke-linejoin: round;
    }
    .unread {
      position: absolute; top: -4px; right: -4px; box-sizing: border-box; min-width: 24px; height: 24px; padding: 0 6px;
      border: 2px solid #fff; border-radius: 12px; background: #b3261e; color: #fff;
      font: 600 13px/20px system-ui, sans-serif; text-align: center;
    }
    .panel {
      position: fixed; z-index: 2147483001; box-sizing: border-box; overflow: hidden;
      right: max(20px, env(safe-area-inset-right)); bottom: calc(max(20px, env(safe-area-inset-bottom)) + 76px);
      width: 400px; height: min(680px, 100vh - 120px); height: min(680px, 100dvh - 120px);
      border: 1px solid rgb(128 128 128 / 35%); border-radius: 16px; background: #f3f5f4;
      box-shadow: 0 4px 12px rgb(0 0 0 / 12%), 0 16px 48px rgb(0 0 0 / 24%);
    }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
    @media (prefers-color-scheme: dark) { .panel { background: #131918; } }
    @media (max-width: 480px), (max-height: 480px) {
      .panel {
        inset: 0; width: auto; height: auto; border: 0; border-radius: 0;
        padding: env(safe-area-inset-top) 0 env(safe-area-inset-bottom);
      }
      .panel.follows { inset: var(--top) 0 auto; height: var(--height); }
    }
    @media (prefers-reduced-motion: no-preference) {
      .panel { animation: open .18s ease-out; }
      @keyframes open { from { opacity: 0; transform: translateY(12px); } }
    }
    @media (forced-colors: active) { .button, .panel { border: 2px solid ButtonText; } }
    @media print { .button, .panel { display: none; } }`;

  const host = document.createElement("div");
  host.id = ID;
  const root = host.attachShadow({ mode: "open" });
  let frame = null;
  let unread = 0;
  let stilled = [];

  const make = (tag, attributes) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };

  const button = make("button", { type: "button", class: "button", "aria-haspopup": "dialog" });
  const bubble = drawing(
    "M12 3c5 0 9 3.4 9 7.7s-4 7.7-9 7.7c-.9 0-1.8-.1-2.6-.3L5 20.5l.9-3.9C4.1 15.2 3 13.1 3 10.7 3 6.4 7 3 12 3z",
  );
  const down = drawing("M5 9l7 7 7-7");
  const badge = make("span", { class: "unread", "aria-hidden": "true" });
  button.append(bubble, down, badge);
  const panel = make("div", { class: "panel", role: "dialog", "aria-label": title });
  panel.hidden = true;

  function drawing(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  /** Black or white, whichever is easier to read on the button's colour: one of them reaches 4.5 to 1 on any. */
  function onColour() {
    const digits = colour.length === 4 ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
    const [r, g, b] = [1, 3, 5].map((at) => {
      const share = parseInt(digits.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 4.5 ? "#fff" : "#000";
  }

  function showState() {
    bubble.toggleAttribute("hidden", !panel.hidden);
    down.toggleAttribute("hidden", panel.hidden);
    badge.hidden = unread === 0;
    badge.textContent = unread > 9 ? "9+" : String(unread);
    const news = unread ? `, ${unread} new ${unread === 1 ? "message" : "messages"}` : "";
    button.setAttribute("aria-label", (panel.hidden ? `Open chat: ${title}` : `Close chat: ${title}`) + news);
    button.setAttribute("aria-expanded", String(!panel.hidden));
  }

  function tellFrame(what) {
    frame?.contentWindow?.postMessage({ understudy: what }, page.origin);
  }

  function open() {
    if (!frame) {
      const address = new URL(page);
      address.searchParams.set("embedded", "1");
      address.searchParams.set("title", title);
      if (script.dataset.colour) address.searchParams.set("colour", colour);
      frame = make("iframe", { title, src: address.href, referrerpolicy: "strict-origin" });
      panel.append(frame);
    }
    panel.hidden = false;
    unread = 0;
    showState();
    suit();
    frame.focus();
    tellFrame("opened");
  }

  function close() {
    if (panel.hidden) return;
    panel.hidden = true;
    showState();
    suit();
    button.focus();
  }

  /** On a phone the open panel is all there is: the page behind neither scrolls nor takes the focus. */
  function suit() {
    const isAlone = !panel.hidden && isPhone.matches;
    button.hidden = isAlone;
    panel.removeAttribute("aria-modal");
    for (const node of stilled) node.inert = false;
    stilled = [];
    document.documentElement.style.overflow = "";
    if (!isAlone) return;
    panel.setAttribute("aria-modal", "true");
    stilled = [...document.body.children].filter((node) => node !== host && !node.inert);
    for (const node of stilled) node.inert = true;
    document.documentElement.style.overflow = "hidden";
    follow();
  }

  /** The keyboard covers part of the page without making it smaller (iOS): keep the panel in what can be seen. */
  function follow() {
    const view = window.visualViewport;
    const isCovered = view && isPhone.matches && window.innerHeight - view.height > 80;
    panel.classList.toggle("follows", Boolean(isCovered));
    if (!isCovered) return;
    panel.style.setProperty("--top", `${view.offsetTop}px`);
    panel.style.setProperty("--height", `${view.height}px`);
  }

  button.addEventListener("click", () => (panel.hidden ? open() : close()));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  });
  window.addEventListener("message", (event) => {
    if (event.origin !== page.origin || !frame || event.source !== frame.contentWindow) return;
    const said = event.data?.understudy;
    if (said === "close") close();
    if (said === "ready" && !panel.hidden) tellFrame("opened");
    if (said === "reply" && panel.hidden) {
      unread += 1;
      showState();
    }
  });
  isPhone.addEventListener("change", suit);
  window.visualViewport?.addEventListener("resize", follow);
  window.visualViewport?.addEventListener("scroll", follow);

  // A constructed sheet, and properties set one by one: a page's policy against inline styles does not concern them.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  host.style.setProperty("--colour", colour);
  host.style.setProperty("--on-colour", onColour());
  root.append(panel, button);
  showState();

  const mount = () => document.body.append(host);
  if (document.body) mount();
  else document.addEventListener("DOMContentLoaded", mount);
})();
