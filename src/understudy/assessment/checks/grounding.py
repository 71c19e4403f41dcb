"""Check that what the draft states is carried by something the agent was given.

Values first: every number, date and address must stand in a passage, a tool result, what the customer and people of
the business wrote, the business profile or the date of the turn; earlier words of the agent do not count, small counts
and list markers are no claims. Then, where there are passages, each sentence as a whole (`assessment/support.py`).
It compares values and words, not meanings.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from understudy.assessment.account_claims import beyond_knowing
from understudy.assessment.carriers import (
    Source,
    business_texts,
    known_facts,
    passages,
    profile_text,
    tool_results,
    unknown_facts,
)
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.entities import COUNT_WORDS, Entity, EntityKind, decimal_readings, entities
from understudy.assessment.spoken_days import SpokenDay, spoken_days
from understudy.assessment.support import MODEL, REVERSALS, Grounds, Nearest, measures
from understudy.assessment.wording import Sentence, content_words, sentences, stem, words
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import NO_MOMENT, Draft, Evidence
from understudy.records.rulebook import Rules

_K = EntityKind


def _code(kind: str, noun: str) -> Code:
    explanation = f"{noun} in the draft is carried by no passage, tool result, message or business fact."
    return Code(check="grounding", code=f"unsupported_{kind}", severity=Severity.MAJOR, explanation=explanation)


UNSUPPORTED = {
    _K.NUMBER: _code("number", "A number"),
    _K.MONEY: _code("money", "An amount of money"),
    _K.PERCENTAGE: _code("percentage", "A percentage"),
    _K.DATE: _code("date", "A date"),
    _K.TIME: _code("time", "A time of day"),
    _K.DURATION: _code("duration", "A length of time"),
    _K.EMAIL: _code("email", "An e-mail address"),
    _K.LINK: _code("link", "A link"),
    _K.PHONE: _code("phone", "A phone number"),
    _K.IDENTIFIER: _code("identifier", "An order number or other reference"),
}
WEAK_SUPPORT = Code(
    check="grounding",
    code="weak_support",
    severity=Severity.MINOR,
    explanation="The words of this statement rest on no passage: it says more, or something else, than the nearest one.",
)
REVERSED = Code(
    check="grounding",
    code="reversed",
    severity=Severity.MAJOR,
    explanation="This statement is almost a passage's, but with a negation more or less, or with its opposite.",
)
NO_SOURCE = Code(
    check="grounding",
    code="no_source",
    severity=Severity.MAJOR,
    explanation="The draft states facts, but the agent had no passage and no tool result to take them from.",
)
TOO_LONG = Code(
    check="grounding",
    code="too_long",
    severity=Severity.UNKNOWN,
    explanation="The draft is longer than this check reads; what stands behind its limit was not held against anything.",
)
UNKNOWN_FACT = Code(
    check="grounding",
    code="unknown_fact",
    severity=Severity.UNKNOWN,
    explanation="The draft states something that only a system of record could tell, and what that system holds is unknown.",
)
CODES = (*UNSUPPORTED.values(), WEAK_SUPPORT, REVERSED, NO_SOURCE, TOO_LONG, UNKNOWN_FACT)

SMALL_COUNT_MAX: Final = 10
"""Whole numbers up to this, without a unit, count things the draft itself lists; they are not looked up."""
STATED_WORDS_MIN: Final = 8
"""From so many content words that neither the customer nor the business used, a draft without sources states facts."""
FINDINGS_MAX: Final = 40
"""No more unsupported entities of one draft are listed; the first few say enough."""
WEAK_FINDINGS_MAX: Final = 3
"""So many of a draft's worst statements are pointed at."""
CHARS_MAX: Final = 20_000
PIECES_MAX: Final = 250
VALUES_MAX: Final = 600
"""So many characters, sentences and values of a draft are looked at; a draft that has more is not examined as a whole."""
CARRIER_CHARS_MAX: Final = 45_000
CARRIER_VALUES_MAX: Final = 700
"""So much is read of what may carry values, passages first; a value that stands only behind it counts as unsupported."""
DOUBT_MAX: Final = 0.95
"""What the learned doubt can take from the score, by its third power, so that a little doubt takes little; findings take
their share of the rest."""
COURTESY_COUNTS: Final = 0.25
"""How much of the doubt in a sentence that only keeps manners or asks for an order number counts."""
_PIECE_WORDS_MIN: Final = 5
_PIECE_WORDS_MAX: Final = 60
_ASKED_MESSAGES: Final = 3
_PLACE_CHARS: Final = 32
_PLACES_MAX: Final = 4
_LOOKS_MAX: Final = 60
_MARKER_CHARS: Final = 12
_SMALL_COUNT = re.compile(r"([0-9]{1,3})(?:[GKDx]|FA)?")
_EXAMPLE = re.compile(r"(?:e\.g\.|for example|such as|looks? like)[,:]?[\s\"'`(#*\\]{0,6}\Z", re.IGNORECASE)
_NO_STATEMENT = re.compile(
    r"\b(?:please (?!note)|could you|can you|would you|let me|let's|i(?:'ll| will)? need|i can(?! confirm)|i'd|i'll|i would"
    r"|i will|i'm|i am|to (?:assist|help|get started|proceed|begin|verify)|if you (?:don't|do not|can't|could|have|would))\b",
    re.IGNORECASE,
)
"""Sentences that ask, offer or plan; they need no source."""
_COURTESY = re.compile(
    r"\b(?:let me|let us|i(?:'ll| will)|i(?:'m| am) (?:sorry|happy|glad|here|afraid)|(?:i|we)(?:'d| would) be|please"
    r"|(?:(?:could|would|can) you|may i)|(?:what|which|when|where|do you)\b.{0,40}\b(?:order|e-?mail|address|account|reference"
    r"|booking|reservation|code|size|postcode|zip|phone|payment|number)\b|if you(?:'d| would| need| have| want)|feel free|happy to|sorry (?:to|for|about)|apologi[sz]e)\b",
    re.IGNORECASE,
)
"""Sentences that are manners; words of their own tell little about whether they are carried."""


class GroundingCheck:
    """Is what the draft states carried by what the agent was given?"""

    name = "grounding"
    words = "something the draft states is in none of its sources"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find unsupported entities first, then sentences that do not rest on the passages."""
        text = draft.text[:CHARS_MAX]
        sources, results = passages(draft), tool_results(evidence, draft)
        values = entities(text, limit=VALUES_MAX)
        carriers = _carriers(evidence, [*sources, *results], rules)
        days = tuple(islice(spoken_days(text, evidence.at.date()), VALUES_MAX)) if evidence.at != NO_MOMENT else ()
        unsupported = tuple(_unsupported(values, text, carriers, days))
        if sources:
            others = [*(result.text for result in results), *business_texts(evidence), profile_text(rules.profile)]
            grounds = Grounds(sources, others, asked=evidence.customer_texts[-_ASKED_MESSAGES:])
            judged = list(islice((_judge(piece, grounds) for piece in _pieces(text)), PIECES_MAX))
            named = [code.found(value.span, passage_id=_nearest_passage(value, judged)) for value, code in unsupported]
            findings, doubt = [*named, *_word_findings(judged)], _doubt(judged)
        else:
            named, judged, doubt = [code.found(value.span) for value, code in unsupported], [], 0.0
            findings = named
            has_tools = len(results) > len(known_facts(evidence))
            if not has_tools and _stated_words(evidence, text, rules) >= STATED_WORDS_MIN:
                findings.append(NO_SOURCE.found())
        findings += _beyond_knowing(evidence, draft, unsupported)
        if len(draft.text) > CHARS_MAX or len(judged) == PIECES_MAX or len(values) == VALUES_MAX:
            findings.append(TOO_LONG.found(Span(start=min(CHARS_MAX, len(draft.text)), end=len(draft.text))))
        return examination(findings, at_most=1.0 - DOUBT_MAX * doubt**3)


# --- entities ---


class _Known:
    """The values of a text, by kind, and gathered as they may carry one another."""

    def __init__(self, text: str) -> None:
        self.of: dict[EntityKind, set[str]] = {kind: set() for kind in EntityKind}
        for entity in entities(text, limit=CARRIER_VALUES_MAX):
            self.of[entity.kind].update(entity.readings)
        in_identifiers = {digits for word in self.of[_K.IDENTIFIER] for digits in re.findall("[0-9]+", word)}
        spelled = {str(COUNT_WORDS[word]) for word in words(text) if word in COUNT_WORDS}
        self.bare = self.of[_K.NUMBER] | in_identifiers | spelled
        self.days = {day[-6:] for day in self.of[_K.DATE]}
        of_dates = {part for day in self.of[_K.DATE] for part in (day[:4], day[-2:].lstrip("0"))}
        amounts = {reading.split(" ")[0] for reading in self.of[_K.MONEY] | self.of[_K.DURATION]}
        self.any_number = self.bare | of_dates | amounts | self.of[_K.PERCENTAGE]


class Carriers:
    """The text of all carriers. To read all its entities is the dear part, so that is done only where a look at the
    places where an entity stands as written did not settle the matter."""

    def __init__(self, text: str) -> None:
        self._text = text[:CARRIER_CHARS_MAX]
        self._lowered = ""
        self._known: _Known | None = None
        self._looks_left = _LOOKS_MAX

    def carry(self, entity: Entity) -> bool:
        """Whether the value stands in the carriers, in whatever spelling."""
        if self._known is None:
            self._looks_left -= 1
            if self._looks_left > 0 and any(_agrees(entity, self._near(literal)) for literal in _literals(entity)):
                return True
            self._known = _Known(self._text)
        return _agrees(entity, self._known)

    def carry_day(self, day: SpokenDay) -> bool:
        """Whether the same words stand in the carriers, or one of the dates that they can mean."""
        self._lowered = self._lowered or self._text.lower()
        if day.words in self._lowered:
            return True
        self._known = self._known or _Known(self._text)
        return not (
            day.dates.isdisjoint(self._known.of[_K.DATE]) and self._known.days.isdisjoint(d[-6:] for d in day.dates)
        )

    def _near(self, literal: str) -> _Known:
        """Read the first places where `literal` stands."""
        places: list[str] = []
        at = self._text.find(literal)
        while at >= 0 and len(places) < _PLACES_MAX:
            end = at + len(literal) + _PLACE_CHARS
            places.append(self._text[max(0, at - _PLACE_CHARS) : end])
            at = self._text.find(literal, end)
        return _Known("\n".join(places))


def _carriers(evidence: Evidence, sources: Iterable[Source], rules: Rules) -> Carriers:
    contact = evidence.contact
    texts = (
        *(source.text for source in sources),
        *evidence.customer_texts,
        *business_texts(evidence),
        profile_text(rules.profile),
        *(contact.name or "", *contact.emails, *contact.phones),
        evidence.at.date().isoformat(),
    )
    return Carriers("\n".join(texts))


def _beyond_knowing(
    evidence: Evidence, draft: Draft, unsupported: tuple[tuple[Entity | SpokenDay, Code], ...]
) -> Iterator[Finding]:
    """Where facts are unknown: the first value that nothing carries, else what is said of the customer's own things."""
    unknown = unknown_facts(evidence)
    if unknown and unsupported:
        yield UNKNOWN_FACT.found(unsupported[0][0].span, passage_id=unknown[0].name)
    elif unknown:
        yield from (UNKNOWN_FACT.found(one.span, passage_id=one.name) for one in beyond_knowing(evidence, draft))


def _unsupported(
    values: tuple[Entity, ...], text: str, carriers: Carriers, days: tuple[SpokenDay, ...]
) -> Iterator[tuple[Entity | SpokenDay, Code]]:
    """Give the first `FINDINGS_MAX` values that nothing carries; "in three days" is a length of time or a day."""
    missing = (value for value in values if not (_claims_nothing(value, text) or carriers.carry(value)))
    untold = tuple(day for day in days if not carriers.carry_day(day))
    told = {day.span.end for day in days} - {day.span.end for day in untold}
    lengths = {value.span.end for value in values if value.kind is _K.DURATION}
    found = ((value, UNSUPPORTED[value.kind]) for value in missing if value.span.end not in told)
    spoken = ((day, UNSUPPORTED[_K.DATE]) for day in untold if day.span.end not in lengths)
    return islice(chain(found, spoken), FINDINGS_MAX)


def _claims_nothing(entity: Entity, text: str) -> bool:
    """Whether it is a list marker, a small count, a name like 5G, or an example of what an order number looks like."""
    if entity.kind is _K.IDENTIFIER:
        return _EXAMPLE.search(text[max(0, entity.span.start - 20) : entity.span.start]) is not None
    if entity.kind is not _K.NUMBER:
        return entity.kind is _K.CARD
    line_start = text.rfind("\n", max(0, entity.span.start - _MARKER_CHARS), entity.span.start) + 1
    is_first = (line_start > 0 or entity.span.start < _MARKER_CHARS) and not text[line_start : entity.span.start].strip(
        " *#>-\t("
    )
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A piece of the draft, how likely people would call it unsupported, and where that can be compared."""

    start: int
    text: str
    unsupported: float
    nearest: Nearest | None
    is_reversed: bool
    is_statement: bool


def _judge(piece: Sentence, grounds: Grounds) -> _Judged:
    nearest = grounds.nearest(words(piece.text))
    measured = measures(piece.text, grounds, nearest)
    is_courtesy = _COURTESY.search(piece.text.replace("\u2019", "'")) is not None
    counts = COURTESY_COUNTS if is_courtesy else 1.0
    return _Judged(
        start=piece.start,
        text=piece.text,
        unsupported=counts * MODEL.unsupported(measured),
        nearest=nearest,
        is_reversed=any(measured[name] for name in REVERSALS),
        is_statement=not (is_courtesy or piece.is_question) and not measured["states_nothing"],
    )


def _pieces(text: str) -> Iterator[Sentence]:
    """The sentences, short ones ("Yes.") together with their neighbour."""
    held: Sentence | None = None
    held_words = 0
    for sentence in sentences(text):
        count = len(words(sentence.text))
        if held is not None and min(held_words, count) < _PIECE_WORDS_MIN and held_words + count <= _PIECE_WORDS_MAX:
            held = Sentence(start=held.start, text=text[held.start : sentence.start + len(sentence.text)])
            held_words += count
            continue
        if held is not None:
            yield held
        held, held_words = sentence, count
    if held is not None:
        yield held


def _word_findings(judged: list[_Judged]) -> Iterator[Finding]:
    """Point at the statements that the passages reverse or hardly carry, the worst ones."""
    worst = sorted(judged, key=lambda piece: (-piece.unsupported, piece.start))
    statements = (piece for piece in worst if piece.is_statement)
    for piece in islice(statements, WEAK_FINDINGS_MAX):
        span = Span(start=piece.start, end=piece.start + len(piece.text))
        name = piece.nearest.source_id if piece.nearest else None
        if piece.is_reversed:
            yield REVERSED.found(span, passage_id=name)
        elif piece.unsupported >= MODEL.threshold:
            yield WEAK_SUPPORT.found(span, passage_id=name)


def _doubt(judged: list[_Judged]) -> float:
    """How likely something is unsupported, in [0, 1]: the two worst pieces speak for the draft, however long it is."""
    worst = sorted((piece.unsupported for piece in judged), reverse=True)[:2]
    return 1.0 - math.prod(1.0 - one for one in worst)


def _stated_words(evidence: Evidence, text: str, rules: Rules) -> int:
    """Count the different content words of the draft's statements that are not the customer's or the business's."""
    facts = (fact.text for fact in known_facts(evidence))
    known_texts = (*evidence.customer_texts, *business_texts(evidence), profile_text(rules.profile), *facts)
    known = {stem(word) for known in known_texts for word in words(known[-CHARS_MAX:])}
    plain = text.replace("\u2019", "'")
    statements = [s.text for s in sentences(plain) if not (s.is_question or _NO_STATEMENT.search(s.text))]
    return len({stem(word) for text in statements for word in content_words(text)} - known)


def _nearest_passage(value: Entity | SpokenDay, judged: list[_Judged]) -> str | None:
    """Name the passage that says most of what stands around the value, so that a reviewer knows where to look."""
    at = bisect_right(judged, value.span.start, key=lambda piece: piece.start) - 1
    nearest = judged[at].nearest if at >= 0 else None
    return nearest.source_id if nearest else None
