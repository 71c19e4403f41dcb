"""Check that every number, date and address in the draft is carried by something the agent was given.

Carriers are passages, tool results, what the customer and people of the business wrote, the business profile and
the date of the turn; earlier words of the agent are not. It compares values, not meanings: a true number in a false
sentence passes here. Small counts and list markers are no claims.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from typing import Final

from understudy.assessment.carriers import Source, business_texts, passages, profile_text, tool_results
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.entities import Entity, EntityKind, decimal_readings, entities
from understudy.assessment.wording import content_words, sentences, stem, words
from understudy.records.assessment import Finding, Severity
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

_K = EntityKind


def _unsupported(kind: str, noun: str) -> Code:
    explanation = f"{noun} in the draft is carried by no passage, tool result, message or business fact."
    return Code(check="grounding", code=f"unsupported_{kind}", severity=Severity.MAJOR, explanation=explanation)


UNSUPPORTED = {
    _K.NUMBER: _unsupported("number", "A number"),
    _K.MONEY: _unsupported("money", "An amount of money"),
    _K.PERCENTAGE: _unsupported("percentage", "A percentage"),
    _K.DATE: _unsupported("date", "A date"),
    _K.TIME: _unsupported("time", "A time of day"),
    _K.DURATION: _unsupported("duration", "A length of time"),
    _K.EMAIL: _unsupported("email", "An e-mail address"),
    _K.LINK: _unsupported("link", "A link"),
    _K.PHONE: _unsupported("phone", "A phone number"),
    _K.IDENTIFIER: _unsupported("identifier", "An order number or other reference"),
}
WEAK_SUPPORT = Code(
    check="grounding",
    code="weak_support",
    severity=Severity.MINOR,
    explanation="Few of the words that carry the draft's statements occur in its passages or tool results.",
)
NO_SOURCE = Code(
    check="grounding",
    code="no_source",
    severity=Severity.MAJOR,
    explanation="The draft states facts, but the agent had no passage and no tool result to take them from.",
)
CODES = (*UNSUPPORTED.values(), WEAK_SUPPORT, NO_SOURCE)

SMALL_COUNT_MAX: Final = 10
"""Whole numbers up to this, without a unit, count things the draft itself lists; they are not looked up."""
STATED_WORDS_MIN: Final = 8
"""From so many content words that neither the customer nor the business used, a draft without sources states facts."""
SUPPORT_SHARE_MIN: Final = 0.4
FINDINGS_MAX: Final = 40
"""No more unsupported entities of one draft are listed; the first few say enough."""
_SUPPORT_WORDS_MIN: Final = 5
_PLACE_CHARS: Final = 32
_PLACES_MAX: Final = 6
_SMALL_COUNT = re.compile(r"([0-9]{1,3})(?:[GKDx]|FA)?")
_EXAMPLE = re.compile(r"(?:e\.g\.|for example|such as|looks? like)[,:]?[\s\"'`(#*\\]{0,6}\Z", re.IGNORECASE)
_NO_STATEMENT = re.compile(
    r"\b(?:please (?!note)|could you|can you|would you|let me|let's|i(?:'ll| will)? need|i can(?! confirm)|i'd|i'll|i would"
    r"|i will|i'm|i am|to (?:assist|help|get started|proceed|begin|verify)|if you (?:don't|do not|can't|could|have|would))\b",
    re.IGNORECASE,
)
"""Sentences that ask, offer or plan; they need no source."""


class GroundingCheck:
    """Is what the draft states carried by what the agent was given?"""

    name = "grounding"
    words = "something the draft states is in none of its sources"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find unsupported entities first, then how far the words as a whole rest on the sources."""
        sources = passages(draft)
        results = tool_results(evidence, draft)
        unsupported = tuple(_unsupported_entities(draft.text, _carriers(evidence, [*sources, *results], rules)))
        about = _Passages(draft.text, sources if unsupported else ())
        findings = [code.found(entity.span, passage_id=about.nearest(entity)) for entity, code in unsupported]
        support = 1.0
        if sources:
            support, weak = _word_support(draft.text, [*sources, *results], rules)
            findings += [weak] if weak else []
        elif not results and _stated_words(evidence, draft, rules) >= STATED_WORDS_MIN:
            findings.append(NO_SOURCE.found())
        return examination(findings, at_most=0.6 + 0.4 * support)


# --- entities ---


class _Known:
    """The values of a text, by kind, and gathered as they may carry one another."""

    def __init__(self, text: str) -> None:
        self.of: dict[EntityKind, set[str]] = {kind: set() for kind in EntityKind}
        for entity in entities(text):
            self.of[entity.kind].update(entity.readings)
        in_identifiers = {digits for word in self.of[_K.IDENTIFIER] for digits in re.findall("[0-9]+", word)}
        self.bare = self.of[_K.NUMBER] | in_identifiers
        self.days = {day[-6:] for day in self.of[_K.DATE]}
        of_dates = {part for day in self.of[_K.DATE] for part in (day[:4], day[-2:].lstrip("0"))}
        amounts = {reading.split(" ")[0] for reading in self.of[_K.MONEY] | self.of[_K.DURATION]}
        self.any_number = self.bare | of_dates | amounts | self.of[_K.PERCENTAGE]


class _Carriers:
    """The text of all carriers. To read all its entities is the dear part, so that is done only where a look at the
    places where an entity stands as written did not settle the matter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: _Known | None = None

    def carry(self, entity: Entity) -> bool:
        if self._known is None:
            if any(_agrees(entity, self._near(literal)) for literal in _literals(entity)):
                return True
            self._known = _Known(self._text)
        return _agrees(entity, self._known)

    def _near(self, literal: str) -> _Known:
        """Read the first places where `literal` stands."""
        places: list[str] = []
        at = self._text.find(literal)
        while at >= 0 and len(places) < _PLACES_MAX:
            end = at + len(literal) + _PLACE_CHARS
            places.append(self._text[max(0, at - _PLACE_CHARS) : end])
            at = self._text.find(literal, end)
        return _Known("\n".join(places))


def _carriers(evidence: Evidence, sources: Iterable[Source], rules: Rules) -> _Carriers:
    contact = evidence.contact
    texts = (
        *(source.text for source in sources),
        *evidence.customer_texts,
        *business_texts(evidence),
        profile_text(rules.profile),
        *(contact.name or "", *contact.emails, *contact.phones),
        evidence.at.date().isoformat(),
    )
    return _Carriers("\n".join(texts))


def _unsupported_entities(text: str, carriers: _Carriers) -> Iterator[tuple[Entity, Code]]:
    """Give the first `FINDINGS_MAX` entities that nothing carries."""
    claims = (entity for entity in entities(text) if not _claims_nothing(entity, text))
    unsupported = ((entity, UNSUPPORTED[entity.kind]) for entity in claims if not carriers.carry(entity))
    return islice(unsupported, FINDINGS_MAX)


def _claims_nothing(entity: Entity, text: str) -> bool:
    """Whether it is a list marker, a small count, a name like 5G, or an example of what an order number looks like."""
    if entity.kind is _K.IDENTIFIER:
        return _EXAMPLE.search(text[max(0, entity.span.start - 20) : entity.span.start]) is not None
    if entity.kind is not _K.NUMBER:
        return entity.kind is _K.CARD
    line_start = text.rfind("\n", 0, entity.span.start) + 1
    is_first = not text[line_start : entity.span.start].strip(" *#>-\t(")
    is_marker = is_first and text[entity.span.end :][:1] in (".", ")")
    count = _SMALL_COUNT.fullmatch(entity.text)
    return is_marker or (count is not None and int(count[1]) <= SMALL_COUNT_MAX)


def _literals(entity: Entity) -> tuple[str, ...]:
    """How a carrier may write the entity: as the draft does, or as tools write its value."""
    value = entity.readings[0]
    match entity.kind:
        case _K.MONEY:
            return (entity.text, value.split(" ")[0])
        case _K.DATE:
            return (entity.text, value.removeprefix("-"))
        case _K.NUMBER:
            return (value,)
        case _:
            return (entity.text,)


def _agrees(entity: Entity, known: _Known) -> bool:
    """Compare values: a bare number, as tools give it, carries an amount, a percentage or a length of time."""
    readings = set(entity.readings)
    if readings & known.of[entity.kind]:
        return True
    match entity.kind:
        case _K.MONEY:
            return not known.bare.isdisjoint(reading.split(" ")[0] for reading in readings)
        case _K.PERCENTAGE:
            shares = {decimal_readings(f"{float(reading) / 100:.6f}")[0] for reading in readings}
            return not known.bare.isdisjoint(readings | shares)
        case _K.DURATION:
            return not known.bare.isdisjoint(re.findall("[0-9]+", entity.text))
        case _K.DATE:
            lacks_year = {day[-6:] for day in readings if day.startswith("-")}
            return bool(lacks_year & known.days or {f"-{day[-6:]}" for day in readings} & known.of[_K.DATE])
        case _K.PHONE | _K.IDENTIFIER:
            return not readings.isdisjoint(known.bare | known.of[_K.IDENTIFIER])
        case _K.NUMBER:
            return not readings.isdisjoint(known.any_number)
        case _:
            return False


# --- words ---


def _word_support(text: str, sources: Iterable[Source], rules: Rules) -> tuple[float, Finding | None]:
    """Say how far the draft's words rest on the sources, in [0, 1], and whether that is weak."""
    carried_words = [stem(word) for source in sources for word in words(source.text)]
    carried_words += [stem(word) for word in words(profile_text(rules.profile))]
    known = set(carried_words)
    stated = [stem(word) for word in content_words(text) if not word.isdigit()]
    if not stated:
        return 1.0, None
    share = sum(word in known for word in stated) / len(stated)
    written = [stem(word) for word in words(text)]
    pairs = list(pairwise(written))
    known_pairs = set(pairwise(carried_words))
    pair_share = sum(pair in known_pairs for pair in pairs) / len(pairs) if pairs else share
    is_weak = share < SUPPORT_SHARE_MIN and len(set(stated)) >= _SUPPORT_WORDS_MIN
    return 0.7 * share + 0.3 * pair_share, WEAK_SUPPORT.found() if is_weak else None


def _stated_words(evidence: Evidence, draft: Draft, rules: Rules) -> int:
    """Count the different content words of the draft's statements that are not the customer's or the business's."""
    known_texts = (*evidence.customer_texts, *business_texts(evidence), profile_text(rules.profile))
    known = {stem(word) for text in known_texts for word in words(text)}
    plain = draft.text.replace("\u2019", "'")
    statements = [s.text for s in sentences(plain) if not (s.is_question or _NO_STATEMENT.search(s.text))]
    return len({stem(word) for text in statements for word in content_words(text)} - known)


class _Passages:
    """The passages and the draft's sentences as sets of words, to name the passage a finding is about."""

    def __init__(self, text: str, sources: tuple[Source, ...]) -> None:
        self._sentences = sentences(text)
        self._starts = [sentence.start for sentence in self._sentences]
        self._passages = [(source.id, {stem(word) for word in words(source.text)}) for source in sources]

    def nearest(self, entity: Entity) -> str | None:
        """Name the passage that shares most words with the entity's sentence, so that a reviewer knows where to look."""
        index = bisect_right(self._starts, entity.span.start) - 1
        about = {stem(word) for word in content_words(self._sentences[index].text)} if index >= 0 else set()
        overlaps = [(len(about & known), name) for name, known in self._passages]
        best = max((overlap for overlap, _ in overlaps), default=0)
        return next((name for overlap, name in overlaps if overlap == best), None) if best else None
