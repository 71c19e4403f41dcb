"""What an open ticket is told of the hand-off it stands for, in words; pure, and nothing in it was written by a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from understudy.records.conversation import Author, Conversation, Message, Mode

SAID_MAX: Final = 5
SAID_CHARS_MAX: Final = 1_000
NOTE_CHARS_MAX: Final = 8_000


def note_of(key: str, conversation: Conversation, said: Sequence[Message], *, closes: bool) -> str:
    """The note of a hand-off that is over: who answered what, and who answers from now on. `said`: the messages since it was
    handed off, oldest first. It ends with the reference by which it is found again, and begins like no command."""
    text = "\n".join(_lines(conversation, said, closes=closes))
    room = NOTE_CHARS_MAX - len(key) - 20
    return f"{_cut(text, room)}\n\nReference: {key}"


def subject_of_note(key: str) -> str:
    """Its subject, where the system has such a thing."""
    return f"Understudy [{key}]"


def _lines(conversation: Conversation, said: Sequence[Message], *, closes: bool) -> Iterator[str]:
    answers = [message for message in said if message.author is Author.REVIEWER]
    names = list(dict.fromkeys(message.author_name or "a person" for message in answers))
    if answers:
        yield f"Understudy: answered by {_listed(names)}."
        if len(answers) > SAID_MAX:
            yield f"({len(answers) - SAID_MAX} earlier messages are left out here)"
        for message in answers[-SAID_MAX:]:
            yield ""
            yield from (f"> {line}" for line in _cut(message.text, SAID_CHARS_MAX).splitlines())
        yield ""
    else:
        yield "Understudy: the conversation was handed back without an answer by a person."
    if conversation.mode is Mode.AGENT:
        yield "The agent answers in this conversation again."
    elif closes:
        yield "The conversation stays with people; what the customer writes next opens another ticket."
    else:
        yield "The conversation stays with people."


def _listed(names: Sequence[str]) -> str:
    shown = [" ".join(name.split())[:100] for name in names[:SAID_MAX]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"
