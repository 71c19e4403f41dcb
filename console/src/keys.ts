/** Every key and what it does, in one table: the screens ask it, and `?` shows it. */

export type Action =
  | "help" | "queue" | "down" | "up" | "first" | "last" | "open" | "search"
  | "approve" | "edit" | "reject" | "respond" | "takeOver" | "next" | "send" | "leave";

export const KEYS: readonly { readonly where: "everywhere" | "queue" | "review" | "writing"; readonly action: Action; readonly keys: readonly string[]; readonly says: string }[] = [
  { where: "everywhere", action: "help", keys: ["?"], says: "show or hide the keys" },
  { where: "queue", action: "down", keys: ["j", "ArrowDown"], says: "the next row" },
  { where: "queue", action: "up", keys: ["k", "ArrowUp"], says: "the row before" },
  { where: "queue", action: "first", keys: ["Home"], says: "the first row" },
  { where: "queue", action: "last", keys: ["End"], says: "the last row" },
  { where: "queue", action: "open", keys: ["Enter"], says: "open it" },
  { where: "queue", action: "search", keys: ["/"], says: "search" },
  { where: "review", action: "approve", keys: ["a"], says: "approve: send it as it is" },
  { where: "review", action: "edit", keys: ["e"], says: "edit, then send" },
  { where: "review", action: "reject", keys: ["r"], says: "reject, with a reason (1 to 7, then Enter)" },
  { where: "review", action: "respond", keys: ["p"], says: "answer in your own words" },
  { where: "review", action: "takeOver", keys: ["t"], says: "take the conversation over" },
  { where: "review", action: "next", keys: ["n"], says: "leave it and see the next" },
  { where: "review", action: "queue", keys: ["Escape", "q"], says: "back to the queue" },
  { where: "writing", action: "send", keys: ["Ctrl+Enter"], says: "send" },
  { where: "writing", action: "leave", keys: ["Escape"], says: "leave it as it was" },
];

/** What a key press means on a screen; nothing while somebody types, or with a modifier the table does not name. */
export function actionOf(event: KeyboardEvent, where: "queue" | "review" | "writing"): Action | null {
  const isWriting = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), textarea, select");
  if (isWriting !== (where === "writing") || event.altKey || event.isComposing) return null;
  const key = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + event.key;
  const found = KEYS.find((one) => (one.where === where || one.where === "everywhere") && one.keys.includes(key));
  return found?.action ?? null;
}

const SHOWN: Record<string, string> = { ArrowDown: "↓", ArrowUp: "↑", Escape: "Esc" };

export function keyName(key: string): string {
  return SHOWN[key] ?? key;
}
