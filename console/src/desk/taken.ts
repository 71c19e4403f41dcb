/** Reads from the ledger's lines that a conversation is another person's now; pure. */
import type { LedgerLine } from "../api/types";

/** Whose conversation it was and whose it is; null where a line tells nobody that. */
export function takenFrom(line: Pick<LedgerLine, "event" | "body">): { from: string; by: string } | null {
  const { taken_from: from, taken_by: by } = line.body;
  return line.event === "conversation.mode" && typeof from === "string" && typeof by === "string" ? { from, by } : null;
}
