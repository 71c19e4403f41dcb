"""One conversation as the writer last saw it, and what this process leased; right for as long as `hot.py`, of which it is a part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from understudy.records.conversation import Conversation, Message
from understudy.records.outbox import OPEN_ENTRY, OutboxEntry, OutboxState
from understudy.records.turn import OPEN, Turn, TurnState

MESSAGES_MAX = 40
"""A longer conversation's messages are read from the database each time."""

LEASES_MAX = 4096

LEASED = frozenset({TurnState.DRAFTING, TurnState.GATHERING})
"""States in which somebody outside is asked for a turn, under a lease."""


class Leases:
    """Turns and outbox entries that this process leased, and the fence (token, attempts) under which.

    A lease is lengthened without a ledger entry, but only by the process that has it. So what was leased here is known as
    it is, and what others leased is not.
    """

    def __init__(self) -> None:
        self._fences: dict[str, int] = {}

    def put_turn(self, turn: Turn) -> None:
        """Take a turn as this process writes it."""
        self._put(turn.id, turn.token, is_leased=turn.state in LEASED)

    def put_entry(self, entry: OutboxEntry) -> None:
        """The same for an outbox entry."""
        self._put(entry.id, entry.attempts, is_leased=entry.state is OutboxState.SENDING)

    def knows_turn(self, turn: Turn) -> bool:
        """Whether a turn that is remembered is so, its lease included."""
        return turn.state not in LEASED or self._fences.get(turn.id) == turn.token

    def knows_entry(self, entry: OutboxEntry) -> bool:
        """The same for an outbox entry."""
        return entry.state is not OutboxState.SENDING or self._fences.get(entry.id) == entry.attempts

    def clear(self) -> None:
        """Forget everything."""
        self._fences.clear()

    def _put(self, of: str, fence: int, *, is_leased: bool) -> None:
        if not is_leased:
            self._fences.pop(of, None)
            return
        if len(self._fences) >= LEASES_MAX:
            self._fences.clear()
        self._fences[of] = fence


@dataclass(slots=True)
class Scene:
    """A conversation as it stands in the database; None = not read yet."""

    leases: Leases
    conversation: Conversation | None = None
    turns: list[Turn] | None = None
    entries: list[OutboxEntry] | None = None
    messages: list[Message] | None = None

    def open_turns(self) -> list[Turn] | None:
        """The open turns, if they are known."""
        if self.turns is None or not all(map(self.leases.knows_turn, self.turns)):
            return None
        return list(self.turns)

    def open_entries(self) -> list[OutboxEntry] | None:
        """The open outbox entries, if they are known."""
        if self.entries is None or not all(map(self.leases.knows_entry, self.entries)):
            return None
        return list(self.entries)

    def put_turn(self, turn: Turn) -> None:
        """Take a turn as it is now."""
        if self.turns is None:
            return
        others = [other for other in self.turns if other.id != turn.id]
        if turn.state in OPEN:
            others.append(turn)
            others.sort(key=lambda one: one.position)
        self.turns = others

    def put_entry(self, entry: OutboxEntry) -> None:
        """Take an outbox entry as it is now."""
        if self.entries is None:
            return
        others = [other for other in self.entries if other.id != entry.id]
        if entry.state in OPEN_ENTRY:
            others.append(entry)
            others.sort(key=lambda one: one.seq)
        self.entries = others

    def put_messages(self, messages: list[Message]) -> None:
        """Take the whole conversation, if it is short."""
        self.messages = messages if len(messages) <= MESSAGES_MAX else None

    def lengthen(self, turn: Turn, *, until: datetime) -> None:
        """Take a lease as it is now, if the turn is still as it was."""
        if self.turns is not None:
            self.turns = [
                replace(one, due_at=until) if (one.id, one.token) == (turn.id, turn.token) else one
                for one in self.turns
            ]

    def lengthen_send(self, entry: OutboxEntry, *, until: datetime) -> None:
        """The same for an outbox entry."""
        if self.entries is not None:
            self.entries = [
                replace(one, due_at=until)
                if (one.id, one.attempts, one.state) == (entry.id, entry.attempts, OutboxState.SENDING)
                else one
                for one in self.entries
            ]
