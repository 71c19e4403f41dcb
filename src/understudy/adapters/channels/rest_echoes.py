"""A REST channel on which people of the business also answer from devices of their own, as by an app on a phone; nothing is noted there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.adapters.channels.rest import RestChannel
from understudy.adapters.channels.rest_heard import heard, with_remarks
from understudy.errors import MalformedInput
from understudy.ports.channel import Events, InboundRequest, KeepsNotes
from understudy.records.notes import Colleague, Note, Remark
from understudy.records.outbox import Rejected, SendResult
from understudy.records.rest_notes import DeskShape


class EchoChannel(RestChannel, KeepsNotes):
    """A channel whose shape has `echoes`: they come in as answers of people, whom nobody can ask who they are."""

    needs_threads, looks_up_notes, knows_authors, note_chars_max = False, False, False, 1_000

    def __init__(self, name: str, shape: DeskShape, **rest: Any) -> None:
        super().__init__(name, shape, **rest)
        self._echoes = shape.echoes

    def _read_in(self, scope: Mapping[str, Any]) -> Events:
        return with_remarks(super()._read_in(scope), heard(self._echoes, scope))

    def read_notes(self, request: InboundRequest) -> Events:
        """Refuse: there is no address for notes."""
        raise MalformedInput(
            f"channel {self.name!r} has no notes; its web hook is the one for messages ({request.method})"
        )

    async def write_note(self, note: Note) -> SendResult:
        """Refuse for good."""
        return Rejected(reason=f"{self.name} has no notes, so {note.id} cannot be written")

    async def look_up_note(self, note: Note) -> SendResult:
        """Refuse for good."""
        return Rejected(reason=f"{self.name} has no notes, so {note.id} stands nowhere")

    async def colleague(self, remark: Remark) -> Colleague:
        """Say what is known: the echo has no name of whoever held the phone."""
        return Colleague(id=remark.author, name=remark.author_name)

    async def conversation_of(self, thread: str) -> str | None:
        """No thread is named here other than the conversation."""
        return thread
