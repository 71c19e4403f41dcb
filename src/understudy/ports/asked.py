"""The part of the store that says what customers want of being written to, and what they were asked and answered."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from understudy.records.opt_out import OptOut
from understudy.records.survey import Survey, SurveyTally
from understudy.records.turn import Turn


class OptOuts(Protocol):
    """Contacts who want no messages on a channel."""

    def of_contacts(self, contact_ids: Collection[str]) -> list[OptOut]:
        """Those of these contacts, which may be one customer, by channel."""
        ...

    def put(self, opt_out: OptOut) -> None:
        """Write one in the place of what the contact had on the channel."""
        ...

    def lift(self, contact_ids: Collection[str], channel: str) -> bool:
        """Take those on a channel away; False where there was none."""
        ...


class Surveys(Protocol):
    """Whom we asked how it was, one row a turn."""

    def put(self, survey: Survey) -> None:
        """Write one in the place of what the turn had."""
        ...

    def of_turn(self, turn_id: str) -> Survey | None: ...

    def of_contacts(self, contact_ids: Collection[str], *, limit: int) -> list[Survey]:
        """Those of these contacts who were asked, the latest first."""
        ...

    def open_of(self, conversation_id: str) -> Survey | None:
        """The one of a conversation that waits for an answer."""
        ...

    def due(self, *, since: datetime, until: datetime, limit: int) -> list[Turn]:
        """Answered turns that are the last of their conversation, ended in this time and have no survey, the oldest first."""
        ...

    def overdue(self, before: datetime, *, limit: int) -> list[Survey]:
        """Those asked before a moment that still wait for an answer."""
        ...

    def counted(self, since: datetime, until: datetime, channel: str | None) -> list[SurveyTally]:
        """Those asked in a time whose question was not given up, by who answered, channel and score."""
        ...
