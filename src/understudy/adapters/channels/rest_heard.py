"""What people of a help desk write there, read by its shape: commands, their own answers, new threads; it verifies nothing.

A note is a command only where it begins with a slash. No note of ours does, so ours that come back are never commands,
whoever the help desk says wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from understudy.ports.channel import Events
from understudy.records.json_paths import first_text, found, holds
from understudy.records.notes import RemarkKind, Said
from understudy.records.rest_notes import HeardShape

NAMES_CHARS_MAX = 480
"""What is longer is no name: remarks keep it with a word before it, and the store takes 500."""
TEXT_CHARS_MAX = 60_000
"""More than any verdict takes, so that what is cut here is refused there and never taken for the whole."""
BEGINS = "/"


def heard(shapes: Sequence[HeardShape], scope: Mapping[str, Any]) -> tuple[Said, ...]:
    """All remarks of a request, each once, in order of the shapes."""
    said: dict[str, Said] = {}
    seen: set[int] = set()
    for one in shapes:
        for event in found(one.events, scope["payload"]):
            for message in found(one.messages, event):
                around = {**scope, "event": event, "message": message}
                if id(message) not in seen and holds(one.when, around):
                    remark = _remark(one, around)
                    if remark is not None:
                        seen.add(id(message))
                        said.setdefault(remark.id, remark)
    return tuple(said.values())


def _remark(shape: HeardShape, seen: Mapping[str, Any]) -> Said | None:
    text = first_text(shape.text, seen) or ""
    if shape.kind is RemarkKind.COMMAND and not text.startswith(BEGINS):
        return None
    names = {
        name: _within(first_text(getattr(shape, name), seen)) for name in ("id", "thread", "conversation", "author")
    }
    if names["id"] is None or not (names["thread"] or names["conversation"]):
        return None
    return Said(
        id=f"{shape.kind.value}:{names['id']}",
        kind=shape.kind,
        text="" if shape.kind is RemarkKind.THREAD else text[:TEXT_CHARS_MAX],
        thread=names["thread"],
        conversation=names["conversation"],
        author=names["author"],
        author_name=_within(first_text(shape.name, seen)),
    )


def _within(text: str | None) -> str | None:
    return text if text is not None and len(text) <= NAMES_CHARS_MAX else None


def with_remarks(events: Events, remarks: tuple[Said, ...]) -> Events:
    """The events of a request with what people wrote in it, which was passed over as no message of a customer."""
    return replace(events, remarks=remarks, ignored=events.ignored[len(remarks) :]) if remarks else events
