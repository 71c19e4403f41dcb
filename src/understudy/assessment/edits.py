"""How much was wrong with a draft that a reviewer edited, told from both texts; a verdict's own grade comes before it.

| grade | what the edit did |
|---|---|
| cosmetic | nothing that says anything: punctuation, capitals, spaces, words of politeness |
| minor | wording, tone, or something added |
| major | a fact: an amount, a date, an address, a not; or many of its words |
| rejected | most of the draft is gone, or what was sent is not known |

What each grade costs stands in `stats/severity.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from understudy.assessment.entities import entities
from understudy.assessment.polarity import is_negation
from understudy.assessment.wording import content_words, words
from understudy.stats.severity import Grade

KEPT_MINOR_FROM: Final = 0.6
"""Share of the draft's words that say something which must be left for the edit to be minor."""
KEPT_MAJOR_FROM: Final = 0.3
"""Below this share the draft was written anew."""


def grade_of_edit(draft: str, sent: str | None) -> Grade:
    """Grade an edit by what it changed. `sent` None or blank: not known, and unknown never passes."""
    if sent is None or not sent.strip():
        return Grade.REJECTED
    before, after = Counter(content_words(draft)), Counter(content_words(sent))
    facts_before, facts_after = _facts(draft), _facts(sent)
    is_turned = _negations(draft) != _negations(sent)
    if before == after and facts_before == facts_after and not is_turned:
        return Grade.COSMETIC
    kept = (before & after).total() / before.total() if before else 1.0
    if kept < KEPT_MAJOR_FROM:
        return Grade.REJECTED
    is_fact_gone = bool(facts_before - facts_after)
    return Grade.MAJOR if is_fact_gone or is_turned or kept < KEPT_MINOR_FROM else Grade.MINOR


def _facts(text: str) -> Counter[tuple[str, ...]]:
    return Counter(entity.readings for entity in entities(text))


def _negations(text: str) -> int:
    return sum(map(is_negation, words(text)))
