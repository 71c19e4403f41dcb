"""What a draft says of a customer's own orders, tickets and account: statements that only a system of record can carry.

It reads English sentences by their form and knows no fact. A statement in another language is found by its values alone,
which is the grounding check's part.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from understudy.assessment.carriers import business_texts, passages, tool_results, unknown_facts
from understudy.assessment.wording import sentences
from understudy.records.assessment import Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.facts import ABOUT, About

_NOUNS: Final[dict[About, str]] = {
    "orders": "orders?|parcels?|packages?|shipments?|deliver(?:y|ies)|purchases?|refunds?|payments?|invoices?|subscriptions?|bookings?|returns?|items?",
    "tickets": "tickets?|cases?|(?:support )?requests?|complaints?|enquir(?:y|ies)|claims?",
    "contact": "accounts?|profiles?|memberships?|(?:e-?mail|postal|delivery|billing) address(?:es)?|phone numbers?|plans?|contracts?",
}
_STATES = (
    r"(?:is|are|was|were|has|have|had|will|shows?|left|shipped|arrives?|arrived|went|contains?|includes?|got|stands?)"
)
_AFTER = r"(?:\s+[\w#'-]+){0,4}?\s+"
_CLAIMS: Final = {
    about: re.compile(
        rf"\b(?:your|the|this|that|it)(?:\s+[\w'-]+){{0,3}}?\s+(?:{nouns})\b{_AFTER}?\s*{_STATES}\b"
        rf"|\byou(?:'ve|'re| have| had| are)?\b(?:\s+[\w'-]+){{0,3}}?\s+(?:no|any|one|two|three|several|\d+|an?|the)?\s*(?:open|pending|recent|active|past|outstanding)?\s*(?:{nouns})\b(?!\s*\?)",
        re.IGNORECASE,
    )
    for about, nouns in _NOUNS.items()
}
_NO_CLAIM = re.compile(
    r"\b(?:could you|can you|would you|please|may i|let me|let us|if (?:you|your|the|it)|once|whether|as soon as|unless|until|when(?:ever)? (?:you|your|the)"
    r"|(?:can|could|do|does|did|am|is|are|was|were|have|has)(?:n't| not)\b.{0,40}\b(?:see|look|access|check|find|reach|read|tell|know|confirm|able|available)"
    r"|cannot|unable|unavailable|not available|unknown|i(?:'ll| will)|we(?:'ll| will)|a colleague|happy to|sorry)\b",
    re.IGNORECASE,
)
"""Sentences that ask, offer, put a condition, or say that something cannot be seen: they state nothing of an account."""
_YOURS = re.compile(r"\b(?:your|you|you're|you've)\b", re.IGNORECASE)
_VALUE = re.compile(r"[^\s<>\"()]*[0-9][^\s<>\"()]*|[^\s<>\"(),;]+@[^\s<>\"(),;]+")
VALUE_CHARS_MIN: Final = 4
"""A shorter value stands in too many texts by chance."""
FOUND_MAX: Final = 5
READ_CHARS_MAX: Final = 100_000
"""So much is read of what may carry a statement word by word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """Where a draft states what only unknown facts could carry, and the name of such facts."""

    span: Span
    name: str


def beyond_knowing(evidence: Evidence, draft: Draft) -> tuple[Beyond, ...]:
    """The first statement about things of which every system is silent, and that stands in no source word by word."""
    unknown = unknown_facts(evidence)
    known = {one.about for one in evidence.facts} - {one.about for one in unknown}
    names = {one.about: one.name for one in unknown if one.about not in known}
    claims = list(account_claims(draft.text, names))
    if not claims:
        return ()
    given = (*passages(draft), *tool_results(evidence, draft))
    texts = _folded("\n".join([*(source.text for source in given), *business_texts(evidence)])[:READ_CHARS_MAX])
    stated = (span for span in claims if _folded(draft.text[span.start : span.end]) not in texts)
    return tuple(Beyond(span=span, name=next(iter(names.values()))) for span in islice(stated, 1))


def account_data(evidence: Evidence, draft: Draft) -> tuple[Span, ...]:
    """Where a draft says what only a customer's account can say: a statement about what is theirs that no passage makes word by
    word, or a value that stands in a record and in nothing that everybody may read.

    The customer's own words count as known to them; that they named an order proves nothing of its state.
    """
    public = [*(source.text for source in passages(draft)), *business_texts(evidence)]
    records = [one.text for one in tool_results(evidence, draft) if one.text.lstrip()[:1] in "[{"]
    found = list(_of_records(draft.text, records, [*public, *evidence.customer_texts]))
    said = _folded("\n".join(public)[:READ_CHARS_MAX])
    for span in account_claims(draft.text, ABOUT):
        sentence = draft.text[span.start : span.end]
        if not _YOURS.search(sentence) or _folded(sentence) in said:
            continue
        if records or not draft.sources:
            found.append(span)
    return tuple(sorted(found, key=lambda one: (one.start, one.end))[:FOUND_MAX])


def _of_records(text: str, records: list[str], known: list[str]) -> Iterator[Span]:
    """The values of a text that stand in records and in nothing that is known anyway."""
    if not records:
        return
    held, open_to_all = ("\n".join(one)[:READ_CHARS_MAX].casefold() for one in (records, known))
    for match in _VALUE.finditer(text):
        value = match[0].rstrip(".,;:!?-").casefold()
        if len(value) >= VALUE_CHARS_MIN and value in held and value not in open_to_all:
            yield Span(start=match.start(), end=match.start() + len(value))


def account_claims(text: str, abouts: Collection[About]) -> Iterator[Span]:
    """The sentences of a draft that state something about these kinds of things of the customer, the first few."""
    count = 0
    for sentence in sentences(text):
        plain = sentence.text.replace("\u2019", "'")
        if sentence.is_question or _NO_CLAIM.search(plain):
            continue
        if any(_CLAIMS[about].search(plain) for about in abouts):
            yield Span(start=sentence.start, end=sentence.start + len(sentence.text))
            count += 1
            if count == FOUND_MAX:
                return


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
