"""Why what somebody wrote goes to a person, and how a text that is too long is cut; it reads no provider's form."""

from __future__ import annotations

NO_TEXT = "message_without_text"
TOO_LONG = "message_too_long"
UNREADABLE = "message_unreadable"


def fitted(text: str, chars_max: int, *, what: str = "message") -> tuple[str, str | None]:
    """A text as far as it is taken, in at most `chars_max` characters, and why no agent can answer it; None where one can.

    `what` names what was cut.
    """
    if len(text) <= chars_max:
        return text, None
    note = f"\n[cut here: the {what} has {len(text)} characters]"
    return text[: max(chars_max - len(note), 0)] + note, TOO_LONG
