"""The commands that colleagues write in notes, read strictly: what is not clear does nothing. It carries none out.

    /approve               send the draft as it is
    /edit TEXT             send this instead
    /reject WHY            do not send it; a person has to answer
    /respond TEXT          answer the customer in your own name
    /take-over             the conversation is yours
    /take-over from NAME   the same, where a colleague has it
    /undo                  take the verdict back that is not carried out yet
    /arrived, /send-again  of a message of which nobody knows whether it arrived

A `#code` right after the word says which note is meant, as it stands at that note's end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from understudy.records.review import HoldKind, VerdictKind

UNDO: Final = "undo"
_WORDS: Final[dict[str, VerdictKind]] = {
    "approve": VerdictKind.APPROVE,
    "edit": VerdictKind.EDIT,
    "reject": VerdictKind.REJECT,
    "respond": VerdictKind.RESPOND,
    "take-over": VerdictKind.TAKE_OVER,
    "takeover": VerdictKind.TAKE_OVER,
}
_OF_SENDS: Final[dict[str, VerdictKind]] = {"send-again": VerdictKind.APPROVE, "arrived": VerdictKind.REJECT}
_NEED_TEXT: Final = frozenset({VerdictKind.EDIT, VerdictKind.RESPOND})
_TAKE_NO_TEXT: Final = frozenset({VerdictKind.APPROVE, VerdictKind.TAKE_OVER})
_FROM: Final = re.compile(r"from[ \t]+(\S[^\n]{0,199})", re.IGNORECASE)
_FORM: Final = re.compile(r"/([A-Za-z_\\-]{1,30})(?:[ \t]+#([0-9a-f]{4,12}))?(?=\s|$)[ \t]*(.*)", re.DOTALL)
REASON_CHARS_MAX: Final = 200
NAMES: Final = "/approve, /edit TEXT, /reject WHY, /respond TEXT, /take-over or /undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a colleague asks for. `verdict` None: to take theirs back. `code` names the note it is about, if it says which;
    `is_of_send`: it speaks of a message of unknown outcome; `take_from`: who has the conversation that they take."""

    verdict: VerdictKind | None
    code: str | None
    text: str | None = None
    reasons: tuple[str, ...] = ()
    is_of_send: bool = False
    take_from: str | None = None

    def fits(self, kind: HoldKind) -> bool:
        """Whether it can be meant for such a hold; what a hold takes is decided elsewhere."""
        return self.verdict is None or self.is_of_send == (kind is HoldKind.UNSURE_SEND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Why nothing is done, for whoever wrote it."""

    why: str


def read(text: str) -> Command | Unclear:
    """Read a note that begins with a slash."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        return Unclear(why=f"this is no command; write {NAMES}")
    word = form[1].replace("\\", "").replace("_", "-").lower()
    code, rest = form[2], form[3].strip()
    if word == UNDO:
        return _alone(rest, word) or Command(verdict=None, code=code)
    if word in _OF_SENDS:
        return _alone(rest, word) or Command(verdict=_OF_SENDS[word], code=code, is_of_send=True)
    verdict = _WORDS.get(word)
    if verdict is None:
        return Unclear(why=f"there is no command /{word}; write {NAMES}")
    if verdict is VerdictKind.TAKE_OVER and (named := _FROM.fullmatch(rest)) is not None:
        return Command(verdict=verdict, code=code, take_from=named[1].strip())
    if verdict in _TAKE_NO_TEXT:
        return _alone(rest, word) or Command(verdict=verdict, code=code)
    if verdict in _NEED_TEXT:
        return (
            Command(verdict=verdict, code=code, text=rest) if rest else Unclear(why=f"/{word} needs the text to send")
        )
    return Command(verdict=verdict, code=code, reasons=(rest[:REASON_CHARS_MAX],) if rest else ())


def _alone(rest: str, word: str) -> Unclear | None:
    """Words after a command that takes none may be meant as a condition, so it is not carried out."""
    if not rest:
        return None
    return Unclear(why=f"/{word} stands alone; to change the reply write /edit with the whole text")
