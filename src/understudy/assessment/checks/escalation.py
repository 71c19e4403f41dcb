"""Check whether the customer wants or needs a person: by what they say, by how the conversation goes, by who they are.

The words stand in `assessment/lexicons/`, one file a language. They find what is said, not what is meant: a polite
customer in despair passes here. A customer whose language has no lexicon is not understood, and that is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rapidfuzz import fuzz

from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.course import MODEL, CourseModel, numbers_of
from understudy.assessment.language import language_of
from understudy.assessment.lexicon import LANGUAGES, LEXICONS, Lexicon, beginnings, plain, says
from understudy.assessment.wording import Sentence, each_sentence, sentences, words
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules


def _code(code: str, explanation: str, severity: Severity = Severity.MAJOR) -> Code:
    return Code(check="escalation", code=code, severity=severity, explanation=explanation)


WANTS_PERSON = _code("wants_person", "The customer asks to deal with a person.")
ACCEPTS_PERSON = _code("accepts_person", "The customer says yes to the agent's offer of a person.")
PERSON_ANNOUNCED = _code("person_announced", "The draft tells the customer that a person takes over.")
SELF_HARM = _code("self_harm", "The customer may be thinking of harming themselves.")
THREAT = _code("threat", "The customer threatens somebody with harm.")
VULNERABLE = _code("vulnerable", "The customer may be in distress, in danger or in need.")
FRAUD = _code("fraud", "The customer may be the victim of fraud or theft.")
LEGAL_THREAT = _code("legal_threat", "The customer speaks of lawyers, authorities or the press.")
COMPLAINT = _code("complaint", "The customer makes a complaint or speaks of one.")
ANGER = _code("anger", "The customer is angry.")
RISING_ANGER = _code("rising_anger", "The customer's messages grow more irritated one after the other.")
REPEATED_QUESTION = _code("repeated_question", "The customer asks the same thing again.")
GOING_IN_CIRCLES = _code("going_in_circles", "The draft says again what the agent already said in this conversation.")
NEVER_AUTO = _code(
    "never_auto", "The customer's words are about a topic that is never answered without a person.", Severity.BLOCKING
)
VIP = _code("vip", "The customer is marked as one whom a person serves.")
OPEN_COMPLAINT = _code("open_complaint", "The customer has a complaint that is still open.")
UNKNOWN_LANGUAGE = _code(
    "unknown_language", "The customer writes in a language in which it is not understood whether they need a person."
)
NEEDS_PERSON = _code(
    "needs_person",
    "The conversation goes the way of those that a person had to end: something is locked, or the agent passed it on.",
)
CODES = (
    WANTS_PERSON,
    ACCEPTS_PERSON,
    PERSON_ANNOUNCED,
    SELF_HARM,
    THREAT,
    VULNERABLE,
    FRAUD,
    LEGAL_THREAT,
    COMPLAINT,
    ANGER,
    RISING_ANGER,
    REPEATED_QUESTION,
    GOING_IN_CIRCLES,
    NEVER_AUTO,
    VIP,
    OPEN_COMPLAINT,
    UNKNOWN_LANGUAGE,
    NEEDS_PERSON,
)

_SAID: Final = (
    ("self_harm", SELF_HARM),
    ("threat", THREAT),
    ("vulnerable", VULNERABLE),
    ("fraud", FRAUD),
    ("legal_threat", LEGAL_THREAT),
    ("complaint", COMPLAINT),
)
"""Kinds of the lexicons that are findings as they stand."""
VIP_TAGS: Final = frozenset({"vip", "key_account", "priority"})
COMPLAINT_TAGS: Final = frozenset({"open_complaint", "complaint", "escalated"})
"""What a system of record may have marked the contact with."""

RISING_MESSAGES_MIN: Final = 3
"""Anger rises over at least so many messages, the last two of which are irritated."""
CIRCLE_RATIO_MIN: Final = 92.0
CIRCLE_MESSAGES_MAX: Final = 12
_CIRCLE_WORDS_MIN: Final = 8
_REPEAT_WORDS_MIN: Final = 5
_REPEAT_RATIO_MIN: Final = 90.0
_REPEAT_MESSAGES_MAX: Final = 30
_COMPARED_CHARS_MAX: Final = 2_000
_OFFER_CHARS_MAX = 400
"""An offer that stands farther from the end of the agent's words is not what the customer answers."""
_ASSENT_WORDS_MAX = 12
_PASSED = re.compile(r"\b(?:transfer|connect|human|agent|person|supervisor|manager|escalat)")
_NUMBERED = re.compile(r"\w*\d\w*")
_CLAUSE_END = re.compile(r"[,;:\u2014]| but | and ")


class EscalationCheck:
    """Does the customer want, or need, a person?"""

    name = "escalation"
    words = "the customer may want or need a person"
    needs_draft = False

    def __init__(self, model: CourseModel = MODEL) -> None:
        self._model = model

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Look through the customer's words of this turn, then at the conversation, then at what is known of them.

        Without a finding the signal falls as the conversation comes nearer to those that a person had to end.
        """
        findings = [*_said(evidence), *_course(evidence, draft), *_standing(evidence, rules)]
        numbers = numbers_of(evidence, draft)
        if self._model.probability(numbers) >= self._model.threshold:
            findings.append(NEEDS_PERSON.found())
        return examination(findings, at_most=self._model.ease(numbers))


def wants_person(text: str) -> bool:
    """Whether a text asks for a person."""
    return any(
        _is_wish(sentence, lexicon)
        for sentence in sentences(plain(text))
        for lexicon in _that_may_have_one(beginnings(sentence.text))
    )


def _that_may_have_one(begin: frozenset[str]) -> list[Lexicon]:
    """The languages in which something of a wish stands there; a sentence is short, and most are in one language."""
    return [lexicon for lexicon in LEXICONS if not lexicon.hints or not lexicon.hints.isdisjoint(begin)]


def _said(evidence: Evidence) -> Iterator[Finding]:
    """Find what the customer's words of this turn say."""
    written = evidence.burst_text
    text = plain(written)
    if wants_person(written):
        yield WANTS_PERSON.found()
    yield from (code.found() for kind, code in _SAID if says(kind, text))
    if says("anger", text) or _is_shouting(written):
        yield ANGER.found()
    language = language_of(written)
    if language is not None and language not in LANGUAGES:
        yield UNKNOWN_LANGUAGE.found()


def _is_wish(sentence: Sentence, lexicon: Lexicon) -> bool:
    if _says_wish(sentence.text, lexicon):
        return True
    corrected = lexicon.corrected(sentence.text)
    return corrected is not None and _says_wish(corrected, lexicon)


def _says_wish(text: str, lexicon: Lexicon) -> bool:
    if lexicon.wish_alone.fullmatch(" ".join(words(text))):
        return True
    wish = lexicon.kinds.get("wish")
    for match in wish.finditer(text) if wish else ():
        before = _CLAUSE_END.split(text[: match.start()])[-1]
        if not lexicon.wish_unless_before.search(before):
            return True
    return False


def _is_shouting(text: str) -> bool:
    """Whether most of a message of several words is in capitals."""
    long_words = [
        word for word in re.findall(r"[A-Za-z]{3,}", text[:_COMPARED_CHARS_MAX]) if not word.startswith("STOP")
    ]
    return len(long_words) >= 4 and sum(word.isupper() for word in long_words) >= 0.7 * len(long_words)


# --- how the conversation goes ---


def _course(evidence: Evidence, draft: Draft) -> Iterator[Finding]:
    if _is_accepted(evidence):
        yield ACCEPTS_PERSON.found()
    if (announced := _announced(draft)) is not None:
        yield PERSON_ANNOUNCED.found(announced)
    if _is_rising(evidence):
        yield RISING_ANGER.found()
    if _is_repeated(evidence):
        yield REPEATED_QUESTION.found()
    if _is_said_again(evidence, draft):
        yield GOING_IN_CIRCLES.found(Span(start=0, end=len(draft.text)))


def _is_accepted(evidence: Evidence) -> bool:
    """Whether the agent's last question was the offer of a person, or followed it, and the customer begins with a yes.

    A yes to an offer of several things counts: who gets a person without having meant it is worse off by less.
    """
    before = evidence.messages[: len(evidence.messages) - evidence.burst]
    said = next((m.content for m in reversed(before) if m.role == "assistant" and m.content and not m.person), None)
    if said is None:
        return False
    answer = plain(evidence.burst_text[:_COMPARED_CHARS_MAX])
    if not says("assent", answer.lstrip()) or not _asks_for_a_yes(plain(said[-_OFFER_CHARS_MAX:])):
        return False
    first = next(each_sentence(answer), None)
    is_short = first is not None and len(words(first.text)) <= _ASSENT_WORDS_MAX
    return is_short and not _is_declined(answer)


def _asks_for_a_yes(said: str) -> bool:
    """Whether the agent offers a person, and asks in the same sentence or a later one."""
    if "?" not in said or not says("offers_person", said):
        return False
    last = sentences(said)
    offers = [place for place, sentence in enumerate(last) if says("offers_person", sentence.text)]
    return bool(offers) and any("?" in sentence.text for sentence in last[offers[0] :])


def _is_declined(answer: str) -> bool:
    """Whether the customer says, after all, that they do not want to be passed on."""
    return any(
        lexicon.wish_unless_before.search(answer[: match.start()])
        for lexicon in LEXICONS
        for match in _PASSED.finditer(answer)
    )


def _announced(draft: Draft) -> Span | None:
    """Where the draft says that a person takes over; where it says so only under a condition or as an offer it does not."""
    text = plain(draft.text[:_COMPARED_CHARS_MAX])
    if not says("passed_on", text):
        return None
    for sentence in each_sentence(text):
        if says("passed_on", sentence.text) and not says("unless_passed_on", sentence.text):
            end = min(sentence.start + len(sentence.text), len(draft.text))  # small letters may be more than capitals
            return Span(start=min(sentence.start, end), end=end)
    return None


def _is_rising(evidence: Evidence) -> bool:
    """Whether the last two messages are irritated and together more so than the two before them."""
    texts = evidence.customer_texts[-4:]
    if len(texts) < RISING_MESSAGES_MIN:
        return False
    now = _heat(texts[-1][:_COMPARED_CHARS_MAX])
    before = _heat(texts[-2][:_COMPARED_CHARS_MAX]) if now else 0
    if not before or now < before:
        return False
    return now + before > sum(_heat(text[:_COMPARED_CHARS_MAX]) for text in texts[:2])


def _heat(text: str) -> int:
    """Say how irritated a message is: 0 not at all, 1 irritated, 2 angry."""
    lowered = plain(text)
    if says("anger", lowered) or _is_shouting(text):
        return 2
    return int(says("irritation", lowered))


def _is_repeated(evidence: Evidence) -> bool:
    """Whether the customer's last words say what an earlier turn of theirs said, letter by letter or nearly so.

    Numbers and names with digits are the same, or it is about another order, day or sum.
    """
    now = evidence.burst_text.lower()[:_COMPARED_CHARS_MAX]
    if len(words(now)) < _REPEAT_WORDS_MIN:
        return False
    earlier = evidence.messages[: len(evidence.messages) - evidence.burst]
    texts = [message.content for message in earlier if message.role == "user" and message.content]
    compared = [text.lower()[:_COMPARED_CHARS_MAX] for text in texts[-_REPEAT_MESSAGES_MAX:]]
    return any(
        fuzz.ratio(now, text, score_cutoff=_REPEAT_RATIO_MIN) > 0 and _NUMBERED.findall(text) == _NUMBERED.findall(now)
        for text in compared
    )


def _is_said_again(evidence: Evidence, draft: Draft) -> bool:
    """Whether the draft is one of the agent's last messages again, nearly word for word."""
    now = draft.text[:_COMPARED_CHARS_MAX]
    if len(words(now)) < _CIRCLE_WORDS_MIN:
        return False
    said = [m.content for m in evidence.messages if m.role == "assistant" and m.content and not m.person]
    return any(
        fuzz.ratio(now, text[:_COMPARED_CHARS_MAX], score_cutoff=CIRCLE_RATIO_MIN) > 0
        for text in said[-CIRCLE_MESSAGES_MAX:]
    )


# --- what is known beforehand ---


def _standing(evidence: Evidence, rules: Rules) -> Iterator[Finding]:
    """Find what the rules and the system of record say of the topic and of the contact."""
    if rules.never_auto and _touches_never_auto(evidence, rules):
        yield NEVER_AUTO.found()
    tags = {tag.lower() for tag in evidence.contact.tags}
    if tags & VIP_TAGS:
        yield VIP.found()
    if tags & COMPLAINT_TAGS:
        yield OPEN_COMPLAINT.found()


def _touches_never_auto(evidence: Evidence, rules: Rules) -> bool:
    """Whether the customer's words name such a topic, whatever topic the turn was given: a turn may have two."""
    text = f" {' '.join(words(evidence.burst_text[:_COMPARED_CHARS_MAX]))} "
    return any(
        f" {' '.join(words(phrase))} " in text
        for rule in rules.topics
        if rule.topic in rules.never_auto
        for phrase in rule.phrases
    )
