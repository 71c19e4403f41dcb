/** What somebody changed in a text, word by word: the longest common run of words, found as one finds it on paper. */

export type Piece = { readonly kind: "same" | "added" | "removed"; readonly text: string };

const WORDS_MAX = 2_000; // beyond, whole texts are shown beside each other: a table of millions of cells helps nobody

/** Cut into words, the space before each going along with it. */
function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** The pieces of both texts in order; joining those that are not removed gives `after`, not added gives `before`. */
export function wordDiff(before: string, after: string): Piece[] {
  const [a, b] = [words(before), words(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  const middle = changed(a.slice(start, endA), b.slice(start, endB));
  return joined([...a.slice(0, start).map(same), ...middle, ...a.slice(endA).map(same)]);
}

const same = (text: string): Piece => ({ kind: "same", text });
const added = (text: string): Piece => ({ kind: "added", text });
const removed = (text: string): Piece => ({ kind: "removed", text });

function changed(a: string[], b: string[]): Piece[] {
  if (a.length > WORDS_MAX || b.length > WORDS_MAX) return [...a.map(removed), ...b.map(added)];
  // longest[i][j]: how many words a from i on and b from j on have in common.
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
    }
  }
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      pieces.push(same(a[i]!));
      [i, j] = [i + 1, j + 1];
    } else if (i < a.length && (j === b.length || longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) {
      pieces.push(removed(a[i]!));
      i += 1;
    } else {
      pieces.push(added(b[j]!));
      j += 1;
    }
  }
  return pieces;
}

function joined(pieces: Piece[]): Piece[] {
  const found: Piece[] = [];
  for (const piece of pieces) {
    const last = found.at(-1);
    if (last?.kind === piece.kind) found[found.length - 1] = { kind: last.kind, text: last.text + piece.text };
    else found.push(piece);
  }
  return found;
}
