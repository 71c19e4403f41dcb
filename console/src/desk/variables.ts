/** Words in braces in a canned reply, filled in from what is known; a value is text and never looked at again. */

export const VARIABLES = ["customer", "first_name", "reviewer", "business", "topic", "channel", "email"] as const;
export type Variable = (typeof VARIABLES)[number];
export type Values = Readonly<Partial<Record<Variable, string | null | undefined>>>;

const BRACED = /\{([a-z][a-z_]{0,30})\}/g;

/** The words in braces of a text, each once, in order. */
export function named(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(BRACED), (found) => found[1]!))];
}

function isVariable(name: string): name is Variable {
  return VARIABLES.some((one) => one === name);
}

function value(values: Values, name: string): string {
  return (isVariable(name) ? values[name] : undefined)?.trim() ?? "";
}

export type Filled = { readonly text: string; /** Words in braces that stayed, because nothing is known. */ readonly missing: readonly string[] };

/** Fill a canned reply in, all words at once, so that braces in a value stay what they are. */
export function filled(template: string, values: Values): Filled {
  const text = template.replace(BRACED, (all, name: string) => value(values, name) || all);
  return { text, missing: named(template).filter((name) => !value(values, name)) };
}

/** Which of these words in braces still stand in a text: with them it is not sent. */
export function stillMissing(text: string, missing: readonly string[]): string[] {
  return missing.filter((name) => text.includes(`{${name}}`));
}

/** The first word of a name that has several, else the name. */
export function firstName(name: string | null | undefined): string {
  return name?.trim().split(/\s+/)[0] ?? "";
}

/** Whether a text answers to what somebody typed: each of their words begins one of its words; best where the name begins so. */
export function matching<T extends { readonly name: string; readonly text: string }>(all: readonly T[], typed: string): T[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const score = (one: T): number => {
    const [name, text] = [one.name.toLowerCase(), one.text.toLowerCase()];
    const begins = (said: string, word: string): boolean => said.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word));
    if (wanted.every((word) => begins(name, word))) return name.startsWith(wanted[0] ?? "") ? 0 : 1;
    return wanted.every((word) => begins(name, word) || begins(text, word)) ? 2 : 3;
  };
  return all
    .map((one) => ({ one, score: score(one) }))
    .filter(({ score: found }) => found < 3)
    .sort((a, b) => a.score - b.score || a.one.name.localeCompare(b.one.name))
    .map(({ one }) => one);
}
