"""What stands in another help desk for its people alone: our notes, and what they remark there; nothing of how it gets there.

A *note* is ours and puts a hold before the people of that help desk. A *remark* is theirs: a command in a note of their
own, or their own answer to the customer. Who remarks is a *colleague*, known to us by a user of ours or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NoteKind(StrEnum):
    """*hold*: what waits for a verdict, at one version of the hold; *outcome*: what became of it elsewhere; *reply*: what came
    of a remark; *done*: the same where the remark decided the hold, so that no outcome has to be told."""

    HOLD = "hold"
    OUTCOME = "outcome"
    REPLY = "reply"
    DONE = "done"


class NoteState(StrEnum):
    """*unknown*: it may or may not stand there, and nobody can be asked; *failed*: it does not. Neither is tried again."""

    PENDING = "pending"
    WRITING = "writing"
    WRITTEN = "written"
    UNKNOWN = "unknown"
    FAILED = "failed"


OPEN_NOTE = frozenset({NoteState.PENDING, NoteState.WRITING})
"""States of a note that is still to be written; only the oldest of a conversation is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note to write. `id` is also its key and stands in its text; `thread` is the help desk's name of the conversation.

    `version` is that of the hold it shows. `is_only`: where it stands, the hold is not in the console's queue. `is_whole`
    False: its draft is too long for a note and was cut, so nobody can approve it there. `attempts` counts the tries begun.
    """

    id: str
    kind: NoteKind
    state: NoteState
    channel: str
    conversation_id: str
    thread: str
    hold_id: str | None
    version: int
    text: str
    is_only: bool
    is_whole: bool
    attempts: int
    due_at: datetime | None
    provider_id: str | None
    last_error: str | None
    created_at: datetime


class RemarkKind(StrEnum):
    """*command*: a note of a colleague that begins with a slash; *answer*: a colleague wrote to the customer; *thread*: there is a
    thread, and nothing was said."""

    COMMAND = "command"
    ANSWER = "answer"
    THREAD = "thread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A remark as a channel parsed it. `id` is the help desk's own; `conversation` the channel's name of the conversation, where
    it says that, and `thread` the help desk's."""

    id: str
    kind: RemarkKind
    text: str
    thread: str | None
    conversation: str | None = None
    author: str | None = None
    author_name: str | None = None

    def __post_init__(self) -> None:
        if not (self.thread or self.conversation):
            raise ValueError("Said needs a thread or a conversation")


class RemarkState(StrEnum):
    """*done*: whatever it asked for was done, refused or passed over, and the text is kept no longer."""

    RECEIVED = "received"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A remark as stored. `provider_id` makes it unique on its channel; `outcome` says in a word what came of it."""

    id: str
    channel: str
    provider_id: str
    kind: RemarkKind
    state: RemarkState
    thread: str | None
    external_id: str | None
    author: str | None
    author_name: str | None
    text: str
    outcome: str | None
    attempts: int
    due_at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Who remarked, as the help desk says when it is asked. `is_verified`: it vouches for the e-mail address; `is_staff`: they
    work there, and the remark is theirs."""

    id: str | None
    name: str | None = None
    email: str | None = None
    is_verified: bool = False
    is_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Which conversation a help desk's thread is; `external_id` None: none of this channel."""

    channel: str
    name: str
    external_id: str | None
    seen_at: datetime
