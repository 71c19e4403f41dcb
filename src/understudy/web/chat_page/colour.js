/* Makes the operator's colour usable: whatever it is, words on it and words in it can be read (WCAG 2.2: 4.5 to 1).
   The grounds named here are those of chat.css. */

const BLACK = "#000000";
const WHITE = "#ffffff";
const GROUNDS_LIGHT = ["#ffffff", "#f3f5f4"];
const GROUNDS_DARK = ["#131918", "#1c2422", "#28322f"];

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const hex = (values) => `#${values.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;

function luminance(colour) {
  const [r, g, b] = channels(colour).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Move a colour towards another until it can be read on every one of these grounds (WCAG: 4.5). */
function readable(colour, towards, grounds) {
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = hex(channels(colour).map((value, i) => value + (channels(towards)[i] - value) * share));
    if (grounds.every((ground) => contrast(mixed, ground) >= 4.5)) return mixed;
  }
  return towards;
}

/** Use a colour, `#rgb` or `#rrggbb`; gives whether it is one. Black or white is always readable on it. */
export function paint(colour) {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(colour ?? "");
  const accent = short ? `#${short.slice(1).map((digit) => digit + digit).join("")}` : (colour ?? "");
  if (!/^#[0-9a-f]{6}$/i.test(accent)) return false;
  const style = document.documentElement.style;
  style.setProperty("--accent", accent);
  style.setProperty("--on-accent", contrast(accent, WHITE) >= 4.5 ? WHITE : BLACK);
  style.setProperty("--ink-in-light", readable(accent, BLACK, GROUNDS_LIGHT));
  style.setProperty("--ink-in-dark", readable(accent, WHITE, GROUNDS_DARK));
  return true;
}
