"""What customers can say of being written to, and whether they are asked how it was, as sections; the words that are shipped stand in `asked_words`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.settings.section import Section


class OptOutWordsSettings(Section):
    """The words of one language, and the texts that confirm them; {business} is its name."""

    stop: list[str] = Field(
        description="whole messages that end messages on this channel; case and marks around them are ignored"
    )
    start: list[str] = Field(description="whole messages that begin them again")
    stopped: str = Field(min_length=1, max_length=300, description="the one message that may still leave after a stop")
    started: str = Field(min_length=1, max_length=300, description="what confirms a start")
    version: int = Field(1, ge=1, description="raise it with every change; the ledger has it")


class OptOutSettings(Section):
    """Words by which a customer ends all messages on a channel, and begins them again."""

    channels: list[str] | None = Field(None, description="where the words count; default: every channel that sends SMS")
    carrier_confirms: list[str] | None = Field(
        None,
        description="where the carrier confirms the word itself, so that we do not; default: every channel of kind twilio",
    )
    words: dict[str, OptOutWordsSettings] = Field(
        {}, description="words by language (ISO 639-1), in place of those that are shipped for it"
    )


class QuestionSettings(Section):
    """The question in one language; a person approves it by writing it here."""

    text: str = Field(min_length=1, max_length=500, description="what customers are asked; {business} is its name")
    version: int = Field(1, ge=1, description="raise it with every change; the ledger has it")


class CsatSettings(Section):
    """Customers are asked how it was once their conversation is quiet."""

    ask: Literal["off", "score", "thumbs"] = Field("off", description="score: a number from 1 to 5; thumbs: up or down")
    channels: list[str] | None = Field(None, description="where it is asked; default: everywhere but by e-mail and API")
    share: float = Field(1.0, gt=0, le=1, description="of the conversations that could be asked, drawn by lot")
    quiet_h: float = Field(2.0, gt=0, le=72, description="asked once nobody wrote for so long after the answer")
    again_after_days: float = Field(30.0, ge=0, description="no customer is asked twice in so many days")
    answer_within_h: float = Field(72.0, gt=0, le=720, description="a later number is no answer")
    language: str = Field(
        "en", description="ISO 639-1 code, for customers whose language cannot be told or has no question"
    )
    questions: dict[str, QuestionSettings] = Field(
        {}, description="questions by language (ISO 639-1), in place of those that are shipped for it"
    )
