"""What is known of a hand-off where a person is chosen for it, and who is there, read from the store; nobody is chosen here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from understudy.assessment.language import UNKNOWN, language_of
from understudy.ports.store import Transaction
from understudy.records.conversation import Author
from understudy.records.desk import HERE_S, SEEN_KEPT_S
from understudy.records.staffing import Availability, HandOffFacts, Staffing
from understudy.records.turn import Turn

MESSAGES_READ_MAX = 20
"""So many of the last messages of a conversation say in which language a customer writes."""


def facts_of(tx: Transaction, turn: Turn, staffing: Staffing, *, since: datetime) -> HandOffFacts:
    """What is known of a turn that is handed off, for choosing a team."""
    asks_language = any(team.languages for team in staffing.teams)
    return HandOffFacts(
        id=turn.id,
        topic=turn.topic,
        channel=turn.channel,
        language=written_language(tx, turn.conversation_id) if asks_language else None,
        waits_since=since,
    )


def written_language(tx: Transaction, conversation_id: str) -> str | None:
    """The language in which a customer wrote last, as its ISO 639-1 code; None where it cannot be told."""
    said = tx.messages.of_conversation(conversation_id, limit=MESSAGES_READ_MAX)
    for message in reversed([one for one in said if one.author is Author.CUSTOMER]):
        language = language_of(message.text)
        if language is not None and language != UNKNOWN:
            return language
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """Whether somebody is there. `since`: when they were last heard of or said so; None where nothing is known of them."""

    is_here: bool
    is_away: bool
    since: datetime | None
    seen_at: datetime | None
    until: datetime | None


NOT_KNOWN = There(is_here=False, is_away=False, since=None, seen_at=None, until=None)


def people_there(tx: Transaction, now: datetime) -> dict[str, There]:
    """Everybody of whom it is known whether they are there, by name.

    Somebody is there whose console was heard of in the last `HERE_S`, in whichever process, or who said that they are
    there until later; and nobody who said that they are away.
    """
    seen: dict[str, datetime] = {}
    for one in tx.desk.present(since=now - timedelta(seconds=SEEN_KEPT_S)):
        seen[one.name] = max(one.seen_at, seen.get(one.name, one.seen_at))
    said = {one.name: one for one in tx.assignments.availabilities()}
    return {name: _there(seen.get(name), said.get(name), now) for name in {*seen, *said}}


def _there(seen_at: datetime | None, said: Availability | None, now: datetime) -> There:
    lasts = said is not None and (said.until is None or said.until > now)
    is_away = said is not None and said.is_away and lasts
    has_console = seen_at is not None and seen_at > now - timedelta(seconds=HERE_S)
    is_promised = said is not None and not said.is_away and said.until is not None and lasts
    until = said.until if said is not None and lasts else None
    if is_away:
        since = None if said is None else said.said_at
    else:
        ended = said.until if said is not None and not said.is_away else None
        since = max((at for at in (seen_at, ended) if at is not None), default=None)
    return There(
        is_here=not is_away and (has_console or is_promised),
        is_away=is_away,
        since=since,
        seen_at=seen_at,
        until=until,
    )
