"""What a thumb, a word, a number or a label says of a reply: good, bad, or nothing; it reads no file.

Only what is plain counts by itself: thumbs, yes and no, 0 and 1, −1 and 1, the verdicts' own names. A number on any
other scale, and a word of somebody's own, must be explained (`Meaning`), because guessing would make labels up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from understudy.records.review import VerdictKind

GOOD_WORDS: Final = frozenset(
    "good up thumbs_up thumbsup thumb_up like liked upvote positive pos helpful correct right yes true ok okay accept "
    "accepted pass passed resolved satisfied 👍 +1".split()
)
BAD_WORDS: Final = frozenset(
    "bad down thumbs_down thumbsdown thumb_down dislike disliked downvote negative neg unhelpful not_helpful incorrect "
    "wrong no false reject rejected fail failed unresolved unsatisfied dissatisfied 👎 -1".split()
)
VERDICT_WORDS: Final[Mapping[str, VerdictKind]] = {
    **{kind.value: kind for kind in VerdictKind},
    "approved": VerdictKind.APPROVE,
    "edited": VerdictKind.EDIT,
    "takeover": VerdictKind.TAKE_OVER,
    "taken_over": VerdictKind.TAKE_OVER,
    "escalated": VerdictKind.TAKE_OVER,
}
SILENCE: Final = frozenset({"", "none", "null", "n/a", "na", "neutral", "unrated"})
"""Words of somebody who did not judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the user said of their ratings.

    `name`: which score, field or column is the verdict, where there are several. `good_from`: from this number on a
    reply was good. `good`, `bad`: words and labels of their own.
    """

    name: str | None = None
    good_from: float | None = None
    good: frozenset[str] = frozenset()
    bad: frozenset[str] = frozenset()

    def has_words(self) -> bool:
        """Whether words or labels were explained."""
        return bool(self.good or self.bad)


PLAIN: Final = Meaning()


def verdict_of(rating: Any, meaning: Meaning = PLAIN) -> VerdictKind | None:
    """What a rating says; `None` where nobody judged. Raises `ValueError` that says what is missing to understand it."""
    if rating is None:
        return None
    if isinstance(rating, bool):
        return _judged(rating)
    if isinstance(rating, int | float):
        return _of_number(float(rating), meaning)
    if isinstance(rating, str):
        return _of_word(rating.strip(), meaning)
    raise ValueError(f"a rating is a word, a number or true/false, got {rating!r:.60}")


def verdict_of_labels(labels: Iterable[str], meaning: Meaning) -> VerdictKind | None:
    """What the labels on a conversation say, a bad one before a good one; only labels the user named count."""
    given = {label.strip().casefold() for label in labels}
    if given & _folded(meaning.bad):
        return VerdictKind.REJECT
    return VerdictKind.APPROVE if given & _folded(meaning.good) else None


def _of_number(number: float, meaning: Meaning) -> VerdictKind:
    if meaning.good_from is not None:
        return _judged(number >= meaning.good_from)
    if number in (1.0, 0.0, -1.0):
        return _judged(number == 1.0)
    raise ValueError(f"{number:g} is on a scale of its own; say from which number on a reply was good (--good-from)")


def _of_word(word: str, meaning: Meaning) -> VerdictKind | None:
    folded = word.casefold()
    if folded in _folded(meaning.bad):
        return VerdictKind.REJECT
    if folded in _folded(meaning.good):
        return VerdictKind.APPROVE
    if folded in SILENCE:
        return None
    key = folded.replace(" ", "_").replace("-", "_") if len(folded) > 2 else folded
    if key in VERDICT_WORDS:
        return VERDICT_WORDS[key]
    if key in GOOD_WORDS or key in BAD_WORDS:
        return _judged(key in GOOD_WORDS)
    try:
        number = float(folded)
    except ValueError:
        raise ValueError(f"{word!r:.60} is not a rating we know; say what it means (--good or --bad)") from None
    return _of_number(number, meaning)


def _judged(is_good: bool) -> VerdictKind:
    return VerdictKind.APPROVE if is_good else VerdictKind.REJECT


def _folded(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in words)
