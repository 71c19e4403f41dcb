"""How a help desk behind a REST channel keeps notes, as data: what its people write, and how ours is written. It does nothing.

Paths and conditions are asked of the same tables as those of the channel (`rest.py`):

    heard         {"message", "event", "payload", "headers", "query", "own"}
    author        {"item", "person", "status", "headers", "body"}
    thread        {"status", "headers", "body"}
    find          {"item", "status", "headers", "body"}
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from understudy.records.json_paths import Condition, Path, Paths
from understudy.records.notes import RemarkKind
from understudy.records.rest import (
    ALWAYS_KNOWN,
    AnswerShape,
    Part,
    RequestShape,
    RestShape,
    SendShape,
    SignatureShape,
)

OF_THE_NOTE = frozenset({"thread", "conversation", "text", "key"})
OF_THE_REMARK = frozenset({"thread", "conversation", "author", "remark"})


class HeardShape(Part):
    """Something that people of the help desk do and that concerns us."""

    kind: RemarkKind = Field(
        description="command: a note that may hold a command; answer: they wrote to the customer; thread: a thread is there"
    )
    events: Path = Field("$", description="the events in the payload")
    messages: Path = Field("$", description="the messages in an event")
    when: Condition = Field(description="condition for it; our own notes and replies have to be left out")
    id: Paths = Field(description="the help desk's id of it: the same id again is the same remark")
    thread: Paths = Field([], description="its name of the thread, where that is not the conversation's")
    conversation: Paths = Field([], description="the conversation's name, as in inbound.conversation")
    author: Paths = Field([], description="its id of who wrote")
    name: Paths = Field([], description="their name, told to people")
    text: Paths = Field([], description="what they wrote")


class AuthorShape(RequestShape):
    """The request that asks who wrote a remark: {author}, {remark}, {thread} and {conversation} are known."""

    answered: Condition = Field(description="condition for an answer to rely on")
    items: Path = Field("$.body", description="the people, or the remarks, in the answer")
    id: Paths = Field(description="the id of each: {author}, or with `of_remark` {remark}")
    of_remark: bool = Field(False, description="true: the items are remarks, so that what was written is confirmed too")
    when: Condition | None = Field(None, description="further condition for the item")
    person: Path = Field("$.item", description="the person, where the item is the remark")
    email: Paths = Field(description="their e-mail address")
    is_verified: Condition = Field(description="condition for an address that the help desk has verified")
    is_staff: Condition = Field(description="condition for somebody who works there")


class ThreadShape(RequestShape):
    """The request that asks which conversation a {thread} is."""

    answered: Condition = Field(description="condition for an answer to rely on")
    conversation: Paths = Field(description="the conversation's name; a thread without is none of this channel")


class FindShape(RequestShape):
    """The request that looks for a note of which nobody knows whether it was written."""

    answered: Condition = Field(description="condition for an answer to rely on")
    items: Path = Field("$.body", description="the notes in the answer")
    text: Paths = Field(description="the text of each; ours holds its key")
    more: Condition | None = Field(
        None, description="condition for further pages: what is not on this one is then unknown"
    )
    provider_id: Paths = Field([], description="the help desk's id of what was found")


class NotesShape(Part):
    """How notes are read and written."""

    signature: SignatureShape | None = Field(
        None, description="of what comes to /webhooks/NAME/notes, by `note_secrets`; default: the channel's own"
    )
    heard: list[HeardShape] = Field(min_length=1, description="what people of the help desk do, asked in order")
    write: SendShape = Field(description="the request that writes a note: {thread}, {conversation}, {text}, {key}")
    answer: AnswerShape = Field(AnswerShape(), description="how its answer is read; `provider_id` is the note's id")
    find: FindShape | None = Field(None, description="finds a note by its key, which stands in its text")
    author: AuthorShape | None = Field(
        None, description="asks who wrote a remark; without it only configured ids are known"
    )
    thread: ThreadShape | None = Field(
        None, description="asks which conversation a thread is; none: they have one name"
    )
    chars_max: int = Field(20_000, ge=1_000, description="longest note")
    sample: str | None = Field(None, description="a command as the help desk sends it, for the connector kit")


class DeskShape(RestShape):
    """The whole of a REST channel, and of the help desk behind it."""

    notes: NotesShape | None = Field(None, description="where people of a help desk review drafts in its notes")
    echoes: list[HeardShape] = Field(
        [],
        description="what people of the business write on a device of their own, such as a phone, where there are no notes; each is an answer",
    )


def lacking(request: RequestShape, known: Iterable[str]) -> frozenset[str]:
    """Placeholders of a request for notes that nobody gives a value."""
    return request.wanted() - ALWAYS_KNOWN - OF_THE_NOTE - OF_THE_REMARK - frozenset(known)
