"""What this process last saw of what is owed to customers; right for as long as `hot.py`, of which it is a part."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy.records.pledges import Pledge

CONTACTS_MAX = 10_000
"""What is owed to so many contacts is kept before all is read anew."""


@dataclass(slots=True)
class KnownPledges:
    """Whether anything is owed to anybody (None = not looked), and to whom what."""

    has_owed: bool | None = None
    of: dict[str, tuple[Pledge, ...]] = field(default_factory=dict)

    def keep(self, contact_id: str, owed: tuple[Pledge, ...]) -> None:
        """Remember what is owed to a contact."""
        if len(self.of) >= CONTACTS_MAX:
            self.of.clear()
        self.of[contact_id] = owed

    def changed(self, contact_id: str) -> None:
        """Something was promised to a contact, or ended."""
        self.of.pop(contact_id, None)
        self.has_owed = None

    def look_again(self) -> None:
        """Look again whether anything is owed."""
        self.has_owed = None

    def clear(self) -> None:
        """Forget everything."""
        self.has_owed = None
        self.of.clear()
