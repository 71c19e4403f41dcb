"""Let one flow's step take the next flow's first step along, in the same transaction; what that does is the next flow's.

A message that is taken in and a reply that is decided usually go on at once in the same process. The lease that the next
flow needs for that is taken in the transaction that makes its work, so one commit less is waited for. What was taken and
not gone on with (a crash, a stop) lapses as any lease does, and the sweep finds it.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from understudy.ports.dispatch import Dispatcher
from understudy.ports.store import Transaction
from understudy.records.turn import Job

W = TypeVar("W")


class TakesAlong(Protocol):
    """The flow that comes next."""

    def take_along(self, tx: Transaction, conversation_id: str) -> Any:
        """Lease what is to be done next in a conversation; None where nothing is, or not by this process, or not now."""
        ...

    def go_on(self, conversation_id: str, taken: Any) -> None:
        """Go on with what was leased, after the commit."""
        ...


class Nobody:
    """`TakesAlong` for a process that leaves the next step to whoever hears of it."""

    def take_along(self, _tx: Transaction, _conversation_id: str) -> None:
        """Lease nothing."""

    def go_on(self, _conversation_id: str, _taken: Any) -> None:
        """Never called: nothing was leased."""


class TakenAlong(Generic[W]):
    """What a flow leased in other flows' steps and did not begin yet, by conversation; its jobs are of one `kind`."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._work: dict[str, W] = {}
        self._dispatcher: Dispatcher | None = None

    def begin(self, dispatcher: Dispatcher) -> None:
        """Take work along from now on, as long as the dispatcher has room."""
        self._dispatcher = dispatcher

    def has_room(self) -> bool:
        """Whether work taken now would begin as soon as it is committed; may be asked from any thread."""
        return self._dispatcher is not None and self._dispatcher.has_room(self._kind)

    def leased(self, tx: Transaction, conversation_id: str) -> None:
        """Say that a step leased work: nobody else need be told of it."""
        tx.keep(Job(kind=self._kind, key=conversation_id))

    def put(self, conversation_id: str, work: W) -> None:
        """Begin with it."""
        assert self._dispatcher is not None, "work is only taken where there is a dispatcher"
        self._work[conversation_id] = work
        self._dispatcher.go_on(Job(kind=self._kind, key=conversation_id))

    def waiting(self) -> list[W]:
        """What was taken and is not begun yet; a stop hands it over."""
        return list(self._work.values())

    def pop(self, conversation_id: str) -> W | None:
        """What is to be begun, if anything."""
        return self._work.pop(conversation_id, None)
