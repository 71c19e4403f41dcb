"""Whether two sentences on the same matter point the same way: negations, opposites and words of scope.

It compares words; what a sentence means it does not know. Lists are English and lean to what policies are made of.
"""

from __future__ import annotations

from collections.abc import Iterable

_NEGATIONS = frozenset("not no never none nobody nothing neither nor cannot without non n't unable ain't".split())
_OPPOSITES = """
    free/charged free/chargeable free/paid refundable/nonrefundable refundable/final eligible/ineligible
    eligible/excluded allowed/prohibited allowed/forbidden permitted/prohibited permitted/forbidden
    include/exclude includes/excludes included/excluded including/excluding covered/excluded before/after
    minimum/maximum min/max most/least more/less more/fewer above/below increase/decrease
    increased/decreased raise/lower higher/lower open/closed opened/closed accept/refuse accept/reject accept/decline
    accepted/refused accepted/rejected accepted/declined approve/reject approved/rejected approve/decline
    approved/declined approved/denied required/optional mandatory/optional valid/invalid valid/expired
    enabled/disabled enable/disable active/inactive active/expired earlier/later available/unavailable
    available/sold domestic/international permanent/temporary online/offline
    full/partial fully/partially always/never all/none everyone/nobody everything/nothing anyone/nobody
    opened/unopened paid/unpaid limited/unlimited credit/debit deposit/withdrawal buyer/seller sender/recipient
    incoming/outgoing yes/no possible/impossible able/unable true/false early/late
    increases/decreases waive/charge waived/charged keep/return started/ended start/end begin/end arrive/depart
    arrival/departure inbound/outbound upgrade/downgrade single/multiple weekday/weekend weekdays/weekends
    morning/evening public/private legal/illegal shorter/longer cheaper/dearer
"""
_SCOPE_WIDE = frozenset(
    "always all any every everyone everything anyone anything anytime unlimited completely entirely".split()
)
_SCOPE_WORDS = _SCOPE_WIDE | frozenset("only never solely exclusively guaranteed guarantee must".split())
_LIMITS = frozenset(
    "some most many few several may might sometimes usually often only up partly limited certain".split()
)
_PREFIXES = ("non", "un", "in", "ir", "im", "dis")


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _OPPOSITES.split():
        one, other = pair.split("/")
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


OPPOSITES = _opposites()
"""Each word and those that say the contrary of the same matter."""


def is_negation(word: str) -> bool:
    """Whether a word, in lower case, turns what follows into its contrary."""
    return word in _NEGATIONS or word.endswith("n't")


def opposed(stated: Iterable[str], given: Iterable[str]) -> bool:
    """Whether `stated` has a word instead of which `given` has its opposite (words in lower case)."""
    one, other = set(stated), set(given)
    here, there = one - other, other - one
    return any(_has_opposite(word, there) for word in here) or any(_has_prefixed(word, here) for word in there)


def widened(stated: Iterable[str], given: Iterable[str]) -> bool:
    """Whether `stated` claims a scope ("always", "any", "only") of which `given` says nothing, or drops its limit."""
    one, other = set(stated), set(given)
    return bool((one & _SCOPE_WORDS) - other) or bool(one & _SCOPE_WIDE and (other & _LIMITS) - one)


def _has_opposite(word: str, given: set[str]) -> bool:
    opposites = OPPOSITES.get(word)
    return bool(opposites and opposites & given) or _has_prefixed(word, given)


def _has_prefixed(word: str, given: set[str]) -> bool:
    """Whether a word is the negated form of a given one: unopened and opened, invalid and valid."""
    return any(
        word.startswith(prefix) and len(word) - len(prefix) >= 4 and word[len(prefix) :] in given
        for prefix in _PREFIXES
    )
