/** What was being written and was not sent: kept for as long as the page is open, so that going elsewhere loses no word. */
export type Unsent = {
  readonly as: "edit" | "respond" | "say";
  readonly text: string;
  /** Whether the field was open when it was left; what was put away on purpose does not open by itself. */
  readonly isOpen: boolean;
};

const KEPT_MAX = 50;

export class UnsentTexts {
  private readonly kept = new Map<string, Unsent>();

  /** Keep what is written on a hold or in a conversation; nothing but white space is nothing. */
  keep(id: string, unsent: Unsent): void {
    this.kept.delete(id);
    if (!unsent.text.trim()) return;
    this.kept.set(id, unsent);
    if (this.kept.size > KEPT_MAX) this.kept.delete(this.kept.keys().next().value!);
  }

  of(id: string): Unsent | null {
    return this.kept.get(id) ?? null;
  }

  /** What was begun there of this kind. */
  begun(id: string, as: Unsent["as"]): string | null {
    const unsent = this.of(id);
    return unsent?.as === as ? unsent.text : null;
  }

  forget(id: string): void {
    this.kept.delete(id);
  }

  /** Whoever comes next is somebody else. */
  clear(): void {
    this.kept.clear();
  }
}

export const unsent = new UnsentTexts();
