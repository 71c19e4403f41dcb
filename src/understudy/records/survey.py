"""Asking customers how it was: the question, when it is asked, what counts as an answer; it asks nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from understudy.records.feedback import FeedbackKind

SCORE_MAX: Final = 5
ANSWER_CHARS_MAX: Final = 24
_SIGNATURE = re.compile(r"\n-- ?\n.*\Z", re.DOTALL)
_SCORE = re.compile(
    r"([1-5])(?: ?(?:/|out of|von|sur|de|su|van) ?5)?(?: ?(?:stars?|sterne?|étoiles?|estrellas?|stelle|sterren|estrelas?))?[.!]?"
)
_STARS = re.compile("[\u2b50\u2605\ufe0f]{1,10}")
_TONES = re.compile("[\U0001f3fb-\U0001f3ff\ufe0f]")
_UP, _DOWN = "\U0001f44d", "\U0001f44e"


class Scale(StrEnum):
    """What is asked for: a number from 1 to 5, or a thumb."""

    SCORE = "score"
    THUMBS = "thumbs"


class SurveyState(StrEnum):
    """*undrawn*: the lot fell on others; *asked*: the question is to be sent or was; *answered*; *passed*: the customer
    wrote something else instead, or nothing in time."""

    UNDRAWN = "undrawn"
    ASKED = "asked"
    ANSWERED = "answered"
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One turn of which a customer is asked how it was. `score` is 1 to 5; a thumb is 5 or 1. `alone`: the agent answered
    without a person. `question`: language and version of what was asked; `outbox_id` the message that asks."""

    turn_id: str
    contact_id: str
    conversation_id: str
    channel: str
    topic: str
    alone: bool
    scale: Scale
    question: str
    state: SurveyState
    outbox_id: str | None
    at: datetime
    score: int | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The approved words in one language."""

    text: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyTerms:
    """Whom to ask, and when: a `share` of the conversations on `channels` that are quiet for `quiet`, nobody twice in
    `again_after`. An answer counts within `answer_within`. `questions` by language."""

    scale: Scale
    channels: frozenset[str]
    questions: Mapping[str, Question]
    language: str
    share: float = 1.0
    quiet: timedelta = timedelta(hours=2)
    again_after: timedelta = timedelta(days=30)
    answer_within: timedelta = timedelta(hours=72)

    def __post_init__(self) -> None:
        if self.language not in self.questions:
            raise ValueError(f"there is no question in {self.language!r}, only in {sorted(self.questions)}")


def author_of_question(scale: Scale, version: int) -> str:
    """What the author of a question is called, as that of a safe reply is."""
    return f"csat.{scale.value}@{version}"


def asked_by(author_name: str | None) -> Scale | None:
    """The scale of the question that an automatic message is; None where it is none."""
    scale = (author_name or "").partition("@")[0].removeprefix("csat.")
    return Scale(scale) if author_name is not None and author_name.startswith("csat.") and scale in set(Scale) else None


def score_of(text: str, scale: Scale) -> int | None:
    """The score that a whole message is, 1 to 5; None where it is anything else or anything more."""
    plain = _TONES.sub("", _SIGNATURE.sub("", f"{text}\n").strip()).strip()
    if not plain or len(plain) > ANSWER_CHARS_MAX:
        return None
    if set(plain) == {_UP}:
        return SCORE_MAX
    if set(plain) == {_DOWN}:
        return 1
    if scale is Scale.THUMBS:
        return None
    if (match := _SCORE.fullmatch(plain.casefold())) is not None:
        return int(match[1])
    if _STARS.fullmatch(plain):
        stars = len(plain.replace("\ufe0f", ""))
        return stars if stars <= SCORE_MAX else None
    return None


def feedback_of(score: int) -> FeedbackKind | None:
    """What a score says of the reply; a 3 says nothing."""
    if score >= 4:
        return FeedbackKind.THUMBS_UP
    return FeedbackKind.THUMBS_DOWN if score <= 2 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyTally:
    """So many surveys by who answered and what was said; `score` None: no answer."""

    alone: bool
    channel: str
    score: int | None
    surveys: int
