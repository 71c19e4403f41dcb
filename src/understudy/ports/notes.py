"""The part of the store that knows notes in other help desks, what is remarked there, and which thread is which conversation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from understudy.records.notes import Note, Remark, Thread


class Notes(Protocol):
    """Notes to be written and written, in order inside a conversation."""

    def add(self, note: Note) -> None: ...

    def get(self, note_id: str) -> Note | None: ...

    def of_hold(self, hold_id: str) -> list[Note]:
        """All that was said of a hold, in order."""
        ...

    def of_conversation(self, conversation_id: str) -> list[Note]:
        """Those that showed holds, in order."""
        ...

    def head(self, conversation_id: str) -> Note | None:
        """The oldest note of a conversation that is still to be written: the only one that may be."""
        ...

    def change(self, note: Note, *, attempts: int) -> None:
        """Write a note whose stored `attempts` is as given; raises `StepSuperseded` where it is not."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Note]:
        """Pending notes that are due, and those being written whose lease lapsed."""
        ...

    def unnoted(self, channels: Collection[str], *, linked: Collection[str], limit: int) -> list[str]:
        """Open holds of these channels whose present version no note shows; of the `linked` ones only those whose thread is known.
        A hold that was decided on and may be taken back is not among them."""
        ...

    def untold(self, channels: Collection[str], *, since: datetime, limit: int) -> list[str]:
        """Holds of these channels that were closed since then, that notes showed, and whose outcome no note tells."""
        ...

    def put_thread(self, thread: Thread) -> None:
        """Write which conversation a thread is."""
        ...

    def thread(self, channel: str, name: str) -> Thread | None: ...

    def thread_of(self, channel: str, external_id: str) -> Thread | None:
        """The thread of a conversation, the latest seen of several."""
        ...


class Remarks(Protocol):
    """What colleagues remark, once each."""

    def add(self, remark: Remark) -> None: ...

    def known(self, channel: str, provider_id: str) -> Remark | None:
        """Find one by the help desk's id of it."""
        ...

    def get(self, remark_id: str) -> Remark | None: ...

    def change(self, remark: Remark, *, attempts: int) -> None:
        """Write one that is still to be looked at and whose stored `attempts` is as given; raises `StepSuperseded` where it is not."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Remark]:
        """Those that are still to be looked at and whose time has come."""
        ...
