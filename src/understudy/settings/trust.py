"""Customers who get people, and what is proposed to be written to whom a reply let down, as sections; nothing is decided here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.records.templates import Template
from understudy.settings.section import Section

WinBackCause = Literal["rejected", "complaint", "thumbs_down", "recontact"]


class WinBackTextSettings(Section):
    """What may be written to a customer whom a reply let down; a person approves it by writing it here, and another sends it."""

    text: Template = Field(
        description="acknowledge what happened, right it, name a person; {reviewer} is who sends it, and {customer}, {business}, "
        "{channel}, {topic}, {day} (of the reply), {said} (the reply), {correction} (an auditor's edited words) are filled with what is stored; a text "
        "of which one is not known is not proposed"
    )
    language: str = Field("en", description="ISO 639-1 code of the text's language")
    causes: list[WinBackCause] = Field(
        ["rejected", "complaint", "thumbs_down", "recontact"], min_length=1, description="what it is proposed after"
    )
    version: int = Field(1, ge=1, description="raise it with every change; the ledger has it")


class WinBackSettings(Section):
    """A correction is proposed to a reviewer after something bad reached a customer; without a text in `texts` nothing is."""

    texts: dict[str, WinBackTextSettings] = Field({}, description="approved texts, the first that fits is proposed")
    language: str = Field("en", description="ISO 639-1 code, for customers in whose language there is no text")
    within_h: float = Field(
        72.0, gt=0, le=720, description="nothing is proposed, or sent, later than so many hours after"
    )
    again_after_days: float = Field(30.0, ge=0, description="no customer is written to twice in so many days")


class Trust(Section):
    """Customers who get people: whose last contact with the agent went badly, or who asked for people."""

    cap: bool = Field(True, description="false: no customer is treated apart")
    days: float = Field(30.0, ge=0, description="a cap ends by itself after so many days; 0 = never")
    good_contacts: int = Field(
        3, ge=0, description="and after so many drafts approved as they were, or thumbs up; 0 = never"
    )
    win_back: WinBackSettings = WinBackSettings()
