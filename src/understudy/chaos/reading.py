"""What the product made of customers' messages, read from its store beside what the customers saw; it judges nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from understudy.chaos.outcomes import Had, Sight, sight_of
from understudy.ports.store import Transaction
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry
from understudy.records.review import HoldKind, HoldState
from understudy.records.turn import Turn, TurnState
from understudy.testing.provider import Taken

MESSAGES_MAX = 1_000
FOR_PEOPLE = (HoldKind.HAND_OFF, HoldKind.UNSURE_SEND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One message of a customer: as the channel names it, when it was written, and whether it was acknowledged."""

    number: int
    channel: str
    conversation: str
    provider_id: str
    text: str
    at: datetime
    is_acknowledged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A reply as a customer saw it."""

    taken: Taken
    at: datetime


def had_of(tx: Transaction, asked: Sequence[Asked], seen: Mapping[str, Sequence[Seen]]) -> list[Had]:
    """What each message has come to; `seen` by channel."""
    replies: dict[tuple[str, str, str], list[datetime]] = defaultdict(list)
    for channel, those in seen.items():
        for one in those:
            replies[channel, one.taken.conversation, one.taken.text].append(one.at)
    return [_had(tx, one, replies) for one in asked]


def _had(tx: Transaction, asked: Asked, replies: Mapping[tuple[str, str, str], Sequence[datetime]]) -> Had:
    message = tx.messages.known(asked.channel, asked.provider_id)
    known = {"number": asked.number, "channel": asked.channel, "conversation": asked.conversation}
    if message is None:
        return Had(**known, is_acknowledged=asked.is_acknowledged, is_known=False)  # type: ignore[arg-type]
    turn = None if message.turn_id is None else _answering(tx, message.turn_id)
    entries = [] if turn is None else tx.outbox.of_turn(turn.id)
    reply_s = _first_s(asked, [one for one in entries if one.author is not Author.SAFE_REPLY], replies)
    told_s = _first_s(asked, [one for one in entries if one.author is Author.SAFE_REPLY], replies)
    holds = [] if turn is None else [hold for hold in tx.holds.open_of_conversation(turn.conversation_id) if hold.state is HoldState.OPEN]  # fmt: skip
    drafts = [hold.created_at for hold in holds if turn and hold.kind is HoldKind.DRAFT and hold.turn_id == turn.id]
    people = [hold.created_at for hold in holds if hold.kind in FOR_PEOPLE]
    return Had(
        **known,  # type: ignore[arg-type]
        is_acknowledged=True,
        is_known=True,
        reply_s=reply_s,
        told_s=told_s,
        held_s=_after_s(asked, drafts),
        person_s=_after_s(asked, people),
    )


def _answering(tx: Transaction, turn_id: str) -> Turn:
    """The turn that answers now what this one was to answer."""
    turn = tx.turns.get(turn_id)
    while turn.state is TurnState.SUPERSEDED and turn.superseded_by is not None:
        turn = tx.turns.get(turn.superseded_by)
    return turn


def _first_s(
    asked: Asked,
    entries: Sequence[OutboxEntry],
    replies: Mapping[tuple[str, str, str], Sequence[datetime]],
) -> float | None:
    at = [at for entry in entries for at in replies.get((asked.channel, asked.conversation, entry.as_sent().text), ())]
    return min(((one - asked.at).total_seconds() for one in at if one >= asked.at), default=None)


def _after_s(asked: Asked, moments: Sequence[datetime]) -> float | None:
    """How long after a message the first of these was; a person who has the conversation already has it at once."""
    return min((max(0.0, (one - asked.at).total_seconds()) for one in moments), default=None)


def sights_of(tx: Transaction, asked: Sequence[Asked], seen: Mapping[str, Sequence[Seen]]) -> dict[str, Sight]:
    """For each conversation, how what was queued compares with what was seen."""
    found: dict[str, Sight] = {}
    for channel, conversation in dict.fromkeys((one.channel, one.conversation) for one in asked):
        stored = tx.conversations.find(channel, conversation)
        if stored is None:
            continue
        turns = dict.fromkeys(one.turn_id for one in tx.messages.of_conversation(stored.id, limit=MESSAGES_MAX) if one.turn_id)  # fmt: skip
        entries = sorted((one for turn in turns for one in tx.outbox.of_turn(turn)), key=lambda one: one.seq)
        texts = [one.taken.text for one in seen.get(channel, ()) if one.taken.conversation == conversation]
        found[f"{channel}/{conversation}"] = sight_of([one.as_sent().text for one in entries], texts)
    return found
