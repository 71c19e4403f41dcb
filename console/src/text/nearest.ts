/** Which words of the passages come nearest to each sentence of a draft: help for the eye, no judgement of the claim. */
import type { Passage } from "../api/types";

export type Beside = {
  readonly sentence: string;
  readonly passage: Passage | null;
  readonly words: string;
  /** Share of the sentence's words that stand there too, in [0, 1]. */
  readonly share: number;
};

const SHARE_MIN = 0.25; // less is chance
const SENTENCES_MAX = 60;
const STOP = new Set(
  "a an and are as at be been but by can do does for from has have if in into is it its may me no not of on or our so than that the their them then there these they this to up us was we were what when which will with would you your".split(" "),
);

/** Cut a text into sentences, lines apart. */
export function sentences(text: string): string[] {
  return text
    .split(/\n+/)
    .flatMap((line) => line.match(/[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*\s*/g) ?? [])
    .map((sentence) => sentence.trim())
    .filter(Boolean);
}

function content(text: string): Set<string> {
  const found = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(found.filter((word) => !STOP.has(word)).map((word) => (word.length > 4 ? word.replace(/(?:ing|ed|es|s)$/, "") : word)));
}

/** Each sentence of the draft beside the nearest sentence of any passage. */
export function beside(draft: string, passages: readonly Passage[]): Beside[] {
  const known = passages.flatMap((passage) =>
    sentences(passage.text).slice(0, SENTENCES_MAX).map((words) => ({ passage, words, content: content(words) })),
  );
  return sentences(draft)
    .slice(0, SENTENCES_MAX)
    .map((sentence) => {
      const own = content(sentence);
      let best: Beside = { sentence, passage: null, words: "", share: 0 };
      for (const other of known) {
        let shared = 0;
        for (const word of own) if (other.content.has(word)) shared += 1;
        const share = own.size ? shared / own.size : 0;
        if (share > best.share && share >= SHARE_MIN) best = { sentence, passage: other.passage, words: other.words, share };
      }
      return best;
    })
    .filter((one) => content(one.sentence).size > 1);
}
