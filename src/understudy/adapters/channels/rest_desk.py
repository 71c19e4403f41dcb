"""A REST channel whose provider is a help desk: its people's notes are read, and ours written, as its shape describes it.

What nobody gives credentials for is not asked: authors are then known by their ids alone, and a note whose writing has
an unknown outcome is not looked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from understudy.adapters.channels.outlet import Outlet
from understudy.adapters.channels.rest import RestChannel
from understudy.adapters.channels.rest_answers import meaning, seen_of
from understudy.adapters.channels.rest_heard import heard, with_remarks
from understudy.adapters.channels.rest_verifying import verifier
from understudy.adapters.channels.rest_writing import CannotStand, address_of, written
from understudy.errors import ChannelUnreachable, ConfigurationError, MalformedInput
from understudy.ports.channel import Events, InboundRequest, KeepsNotes
from understudy.records.json_paths import first_text, found, holds
from understudy.records.notes import Colleague, Note, Remark
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.rest import RequestShape
from understudy.records.rest_notes import OF_THE_NOTE, OF_THE_REMARK, DeskShape, FindShape, lacking


class DeskChannel(RestChannel, KeepsNotes):
    """A channel with a help desk behind it. `note_secrets` sign what comes to the address for notes; default: `secrets`.

    `takes_notes`: drafts are reviewed there. Raises `ConfigurationError` where something for that is missing.
    """

    def __init__(
        self,
        name: str,
        shape: DeskShape,
        *,
        takes_notes: bool,
        note_secrets: Sequence[str] = (),
        secrets: Sequence[str] = (),
        insecure: bool = False,
        timeout_s: float = 10.0,
        **rest: Any,
    ) -> None:
        super().__init__(name, shape, secrets=secrets, insecure=insecure, timeout_s=timeout_s, **rest)
        assert shape.notes is not None, f"channel {name!r} has no help desk"
        self._notes = notes = shape.notes
        self._takes_notes = takes_notes
        if takes_notes and (missing := lacking(notes.write, self._values)):
            raise ConfigurationError(
                f"channel {name!r} is to show drafts in its help desk's notes and lacks {' and '.join(sorted(missing))}; "
                'set that, or review = "console"'
            )
        if takes_notes and notes.thread is not None and (missing := lacking(notes.thread, self._values)):
            raise ConfigurationError(f"channel {name!r} cannot find its help desk's threads without {min(missing)}")
        self._verify_note = None
        if takes_notes and not insecure:
            signature = notes.signature or shape.signature
            self._verify_note = verifier(name, signature, list(note_secrets) or list(secrets), insecure=False)
        self._find = notes.find if notes.find is not None and not lacking(notes.find, self._values) else None
        self._author = notes.author if notes.author is not None and not lacking(notes.author, self._values) else None
        self.needs_threads = notes.thread is not None
        self.looks_up_notes = self._find is not None
        self.knows_authors = self._author is not None
        self.note_chars_max = notes.chars_max
        self._note_timeout_s = timeout_s
        self._outlets: dict[str, Outlet] = {}

    def read_notes(self, request: InboundRequest) -> Events:
        """Verify the request, and read the remarks in it."""
        if not self._takes_notes:
            raise MalformedInput(f'channel {self.name!r} reviews nothing in notes; set review = "notes" or "both"')
        if request.method != "POST":
            return Events(ignored=("a GET, which holds no remark",))
        if self._verify_note is not None:
            seen = self._reading.without_payload(request)
            self._verify_note(self._as_signed(request), seen, request.received_at)
        remarks = heard(self._notes.heard, self._reading.scope(request))
        return Events(remarks=remarks, ignored=() if remarks else ("holds nothing that notes.heard looks for",))

    def _read_in(self, scope: Mapping[str, Any]) -> Events:
        return with_remarks(super()._read_in(scope), heard(self._notes.heard, scope))

    async def write_note(self, note: Note) -> SendResult:
        """Write a note and say what the answer means."""
        shape = self._notes.write
        if len(note.text) > self.note_chars_max:
            return Rejected(
                reason=f"the note is {len(note.text)} characters long, {self.name} takes {self.note_chars_max}"
            )
        try:
            request = written(shape, self._values | _of_note(note), key_header=shape.key_header)
        except CannotStand as error:
            return Rejected(reason=str(error))
        outlet = self._outlet_of(shape)

        async def read(answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> SendResult:
            return await meaning(self._notes.answer, outlet, answer, deadline)

        return await self._sent(outlet, request, read)

    async def look_up_note(self, note: Note) -> SendResult:
        """Look for a note by its key; `Retry` where the help desk certainly does not have it."""
        shape = self._find
        if shape is None:
            return Unknown(reason=f"{self.name} cannot be asked for notes")
        result: list[SendResult] = []

        def read(seen: Mapping[str, Any]) -> None:
            result.append(_found(shape, seen, note.id))

        try:
            await self._ask(shape, _of_note(note), shape.answered, read)
        except ChannelUnreachable as error:
            return Unknown(reason=error.message)
        return result[0]

    async def colleague(self, remark: Remark) -> Colleague:
        """Ask who wrote a remark; an author that the answer does not have is nobody's colleague."""
        known, shape = Colleague(id=remark.author, name=remark.author_name), self._author
        if shape is None or remark.author is None:
            return known
        number = remark.provider_id.partition(":")[2]
        wanted = number if shape.of_remark else remark.author
        values = {
            "thread": remark.thread or "",
            "conversation": remark.external_id or "",
            "author": remark.author,
            "remark": number,
        }
        people: list[Colleague] = []

        def read(seen: Mapping[str, Any]) -> None:
            for item in found(shape.items, seen):
                table = {**seen, "item": item}
                if first_text(shape.id, table) != wanted or (shape.when is not None and not holds(shape.when, table)):
                    continue
                for person in found(shape.person, table)[:1]:
                    around = {**table, "person": person}
                    people.append(
                        Colleague(
                            id=remark.author,
                            name=remark.author_name,
                            email=first_text(shape.email, around),
                            is_verified=holds(shape.is_verified, around),
                            is_staff=holds(shape.is_staff, around),
                        )
                    )

        await self._ask(shape, values, shape.answered, read)
        return people[0] if people else Colleague(id=None, name=remark.author_name)

    async def conversation_of(self, thread: str) -> str | None:
        """Ask which conversation a thread is."""
        shape = self._notes.thread
        if shape is None:
            return thread
        named: list[str | None] = []
        await self._ask(
            shape, {"thread": thread}, shape.answered, lambda seen: named.append(first_text(shape.conversation, seen))
        )
        return named[0]

    async def close(self) -> None:
        """Close the connections to the provider."""
        await super().close()
        for outlet in self._outlets.values():
            await outlet.close()

    async def _ask(self, shape: RequestShape, values: Mapping[str, str], answered: str, read: Any) -> None:
        """Ask something that changes nothing and have the answer read; raises `ChannelUnreachable` where there is none."""
        try:
            request = written(shape, self._values | dict(values))
        except CannotStand as error:
            raise ChannelUnreachable(f"channel {self.name!r} cannot be asked: {error}") from error
        outlet = self._outlet_of(shape)

        async def look(answer: aiohttp.ClientResponse, _: asyncio.Timeout) -> SendResult:
            seen = await seen_of(answer)
            if not 200 <= answer.status < 300 or not holds(answered, seen):
                return Unknown(reason=f"{outlet.host} answered {answer.status} and not as it should")
            read(seen)
            return Accepted()

        result = await self._sent(outlet, request, look)
        if not isinstance(result, Accepted):
            raise ChannelUnreachable(f"channel {self.name!r} cannot be asked: {result.reason}")

    def _outlet_of(self, shape: RequestShape) -> Outlet:
        if shape.url not in self._outlets:
            address = address_of(self.name, shape, self._values, given=OF_THE_NOTE | OF_THE_REMARK)
            self._outlets[shape.url] = Outlet(
                address, clock=self._clock, timeout_s=self._note_timeout_s, honours_keys=False
            )
        return self._outlets[shape.url]


def _of_note(note: Note) -> dict[str, str]:
    return {"thread": note.thread, "conversation": note.thread, "text": note.text, "key": note.id}


def _found(shape: FindShape, seen: Mapping[str, Any], key: str) -> SendResult:
    for item in found(shape.items, seen):
        table = {**seen, "item": item}
        if any(key in (first_text([path], table) or "") for path in shape.text):
            return Accepted(provider_id=first_text(shape.provider_id, table))
    if shape.more is not None and holds(shape.more, seen):
        return Unknown(reason="it is not on the first page of what was looked up, and there are more")
    return Retry(reason="the help desk does not have the note")
