"""What this process last saw of the documents of turns in the making; right for as long as `hot.py`, of which it is a part."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Final

TURNS_MAX: Final = 4096
"""Of so many turns it is known which documents they have; the first go first."""

CHARACTERS_MAX: Final = 4_000_000
"""So much text is kept; then all of it goes, and it is only known what there is."""


class KnownDocuments:
    """By turn, which documents it has, all of them or it is not in here; and their text, as far as it was written or read."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, str | None]] = {}
        self._characters = 0

    def keep(self, turn_id: str, kinds: Iterable[str] = ()) -> None:
        """Remember that a turn has documents of these kinds and no others."""
        self.forget(turn_id)
        self._of[turn_id] = dict.fromkeys(kinds)
        if len(self._of) > TURNS_MAX:
            self.forget(next(iter(self._of)))

    def put(self, turn_id: str, kind: str, body: str) -> None:
        """Remember the text of a document, if its turn is in here."""
        if (known := self._of.get(turn_id)) is None:
            return
        self._characters += len(body) - len(known.get(kind) or "")
        known[kind] = body
        if self._characters > CHARACTERS_MAX:
            self._of = {turn_id: dict.fromkeys(kinds) for turn_id, kinds in self._of.items()}
            self._characters = 0

    def kinds(self, turn_id: str) -> Set[str] | None:
        """Which documents a turn has; None = not known."""
        known = self._of.get(turn_id)
        return None if known is None else known.keys()

    def text(self, turn_id: str, kind: str) -> str | None:
        """The text of a document; None = not known, or there is none."""
        known = self._of.get(turn_id)
        return None if known is None else known.get(kind)

    def forget(self, turn_id: str) -> None:
        """Let go of a turn that is over, or of which others wrote."""
        self._characters -= sum(len(body or "") for body in self._of.pop(turn_id, {}).values())

    def clear(self) -> None:
        """Forget everything."""
        self._of.clear()
        self._characters = 0
