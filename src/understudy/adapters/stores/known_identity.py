"""What this process last saw of handles, links and codes; right for as long as `hot.py`, of which it is a part."""

from __future__ import annotations

from dataclasses import dataclass, field

from understudy.records.identity import HandleKind

HANDLES_MAX = 50_000
"""So many handles are known to be kept before all are looked for anew."""


@dataclass(slots=True)
class KnownIdentity:
    """Whether there is anything of a kind at all (None = not looked), and which handles are certainly kept."""

    has_handles: bool | None = None
    has_links: bool | None = None
    has_codes: bool | None = None
    handles: set[tuple[str, HandleKind, str]] = field(default_factory=set)

    def keep(self, contact_id: str, kind: HandleKind, value: str) -> None:
        """Remember that a contact has a handle."""
        if len(self.handles) >= HANDLES_MAX:
            self.handles.clear()
        self.handles.add((contact_id, kind, value))

    def look_again(self) -> None:
        """Look again what there is at all."""
        self.has_handles = self.has_links = self.has_codes = None

    def clear(self) -> None:
        """Forget everything."""
        self.look_again()
        self.handles.clear()
