/** What a reviewer's choices on proposed actions come to; it keeps nothing. */
import type { ProposedAction, Verdict } from "../api/types";

export type Choice = { readonly doIt?: boolean; readonly written?: string };
export type Chosen = { id: string; let_through: boolean; arguments?: Record<string, unknown> };

/** Whether a verdict does it: what the reviewer said, else what the verdict means for actions. Nobody can do what is not declared. */
export function isDone(action: ProposedAction, choice: Choice | undefined, verdict: Verdict): boolean {
  return action.is_declared && (choice?.doIt ?? (verdict === "approve" || verdict === "edit"));
}

/** The object that somebody wrote; null where it is none. */
export function objectOf(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** What the verdict says of actions that the reviewer said something of. */
export function chosen(actions: readonly ProposedAction[], verdict: Verdict, known: ReadonlyMap<string, Choice>): Chosen[] {
  return actions
    .filter((action) => action.state === "proposed" && (known.has(action.id) || !action.is_declared))
    .map((action) => {
      const choice = known.get(action.id);
      const through = isDone(action, choice, verdict);
      const given = through && choice?.written !== undefined ? objectOf(choice.written) : null;
      return { id: action.id, let_through: through, ...(given ? { arguments: given } : {}) };
    });
}

/** Whether the draft can leave as it is: all is done as proposed, and whoever decides may let it through. */
export function canApprove(actions: readonly ProposedAction[], known: ReadonlyMap<string, Choice>, isLead: boolean): boolean {
  return actions.every((action) => {
    if (action.state !== "proposed") return true;
    const choice = known.get(action.id);
    return isDone(action, choice, "approve") && choice?.written === undefined && barrier(action, isLead) === null;
  });
}

/** Why somebody may not let an action through as it is; null where they may. */
export function barrier(action: ProposedAction, isLead: boolean): "undeclared" | "against" | "leadOnly" | "overLimit" | null {
  if (!action.is_declared) return "undeclared";
  const isOver = action.against.length > 0 && action.against.every((why) => why.startsWith("at most "));
  if (action.against.length > 0 && !isOver) return "against";
  if (isLead) return null;
  if (isOver) return "overLimit";
  return action.approver === "lead" ? "leadOnly" : null;
}
