/** Every key and what it does, in one table; a reader may have keys of their own. The screens ask it, and `?` shows it. */

export type Action =
  | "help" | "undo" | "presence" | "queue" | "down" | "up" | "first" | "last" | "open" | "search"
  | "approve" | "alike" | "edit" | "reject" | "respond" | "takeOver" | "next" | "send" | "canned" | "leave";
export type Place = "everywhere" | "queue" | "review" | "writing";
export type KeyRow = { readonly where: Place; readonly action: Action; readonly keys: readonly string[]; readonly says: string };

export const KEYS: readonly KeyRow[] = [
  { where: "everywhere", action: "help", keys: ["?"], says: "show or hide the keys" },
  { where: "everywhere", action: "undo", keys: ["u"], says: "take the last verdict back" },
  { where: "everywhere", action: "presence", keys: ["h"], says: "be here for hand-offs, or away" },
  { where: "queue", action: "down", keys: ["j", "ArrowDown"], says: "the next row" },
  { where: "queue", action: "up", keys: ["k", "ArrowUp"], says: "the row before" },
  { where: "queue", action: "first", keys: ["Home"], says: "the first row" },
  { where: "queue", action: "last", keys: ["End"], says: "the last row" },
  { where: "queue", action: "open", keys: ["Enter"], says: "open it" },
  { where: "queue", action: "search", keys: ["/"], says: "search" },
  { where: "review", action: "approve", keys: ["a"], says: "approve: send it as it is" },
  { where: "review", action: "alike", keys: ["A"], says: "approve it with those that say the same" },
  { where: "review", action: "edit", keys: ["e"], says: "edit, then send" },
  { where: "review", action: "reject", keys: ["r"], says: "reject, with a reason (1 to 7, then Enter)" },
  { where: "review", action: "respond", keys: ["p"], says: "answer in your own words" },
  { where: "review", action: "takeOver", keys: ["t"], says: "take the conversation over" },
  { where: "review", action: "next", keys: ["n"], says: "leave it and see the next" },
  { where: "review", action: "queue", keys: ["Escape", "q"], says: "back to the queue" },
  { where: "writing", action: "send", keys: ["Ctrl+Enter"], says: "send" },
  { where: "writing", action: "canned", keys: ["Ctrl+/"], says: "a canned reply (or / where a line begins)" },
  { where: "writing", action: "leave", keys: ["Escape"], says: "leave it as it was" },
];

/** What somebody has instead of the table's keys, by action. */
export type Own = Readonly<Record<string, readonly string[]>>;

const KEYS_MAX = 4;
const FIXED: ReadonlySet<string> = new Set(["Tab", "Shift", "Control", "Alt", "Meta", "CapsLock", "Dead", "Process", "Unidentified", " "]);

/** The table with somebody's own keys in it; what they say of actions that there are none is left out. */
export function effective(own: Own): readonly KeyRow[] {
  return KEYS.map((row) => {
    const keys = own[row.action]?.filter((key) => key && !FIXED.has(key)).slice(0, KEYS_MAX);
    return keys?.length ? { ...row, keys } : row;
  });
}

function meet(one: Place, other: Place): boolean {
  if (one === other) return true;
  return (one === "everywhere" && other !== "writing") || (other === "everywhere" && one !== "writing");
}

export type Refusal = { readonly why: "taken"; readonly by: KeyRow } | { readonly why: "digit" | "plain" | "fixed" };

/** Why a key cannot be had for an action, beside those it has already; null where it can. */
export function refusal(own: Own, action: Action, key: string): Refusal | null {
  const table = effective(own);
  const mine = table.find((row) => row.action === action);
  if (!mine || FIXED.has(key) || !key) return { why: "fixed" };
  if (/^[0-9]$/.test(key)) return { why: "digit" }; // views and reasons have them
  if (mine.where === "writing" && !key.startsWith("Ctrl+") && key.length === 1) return { why: "plain" }; // it would be written
  const by = table.find((row) => row.action !== action && meet(row.where, mine.where) && row.keys.includes(key));
  return by ? { why: "taken", by } : null;
}

/** A key press by its name in the table. */
export function nameOf(event: KeyboardEvent): string {
  return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + event.key;
}

let table = KEYS;

/** Let these keys be in force. */
export function use(own: Own): void {
  table = effective(own);
}

/** What a key press means on a screen; nothing while somebody types, or with a modifier the table does not name. */
export function actionOf(event: KeyboardEvent, where: "queue" | "review" | "writing"): Action | null {
  const isWriting = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), textarea, select");
  if (isWriting !== (where === "writing") || event.altKey || event.isComposing) return null;
  const key = nameOf(event);
  const found = table.find((one) => (one.where === where || one.where === "everywhere") && one.keys.includes(key));
  return found?.action ?? null;
}

const SHOWN: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" };

export function keyName(key: string): string {
  if (/^[A-Z]$/.test(key)) return `Shift+${key.toLowerCase()}`;
  return SHOWN[key] ?? key;
}
