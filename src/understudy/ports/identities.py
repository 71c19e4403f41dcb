"""Handles, links and codes as a part of the store's port; who is linked with whom by which rule is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.identity import Code, Handle, HandleKind, Link


class Identities(Protocol):
    """Who customers are. Where nothing of a kind is kept, asking for it costs nothing."""

    def has_handles(self) -> bool:
        """Whether any contact has a handle."""
        ...

    def has_links(self) -> bool:
        """Whether anything is held of any two contacts."""
        ...

    def is_known(self, contact_id: str, kind: HandleKind, value: str) -> bool:
        """Whether a contact certainly has a handle; False also where this process did not look yet."""
        ...

    def put_handle(self, handle: Handle) -> None:
        """Write one in the place of the same one of the same contact."""
        ...

    def handles_of(self, contact_ids: Sequence[str]) -> list[Handle]:
        """All handles of some contacts, the first verified first."""
        ...

    def holders(self, kind: HandleKind, value: str) -> list[Handle]:
        """Everybody who has a handle, the first verified first."""
        ...

    def links_of(self, contact_id: str) -> list[Link]:
        """All that is held of a contact and others, whatever its state, the oldest first."""
        ...

    def link(self, one: str, other: str) -> Link | None:
        """What is held of two contacts, in either order."""
        ...

    def put_link(self, link: Link) -> None:
        """Write one in the place of what was held of the same two."""
        ...

    def proposed(self, *, limit: int) -> list[Link]:
        """Links that wait for a lead, the oldest first."""
        ...

    def put_code(self, code: Code) -> None:
        """Write one in the place of what was kept of it."""
        ...

    def open_code(self, conversation_id: str) -> Code | None:
        """The code that is waited for in a conversation; the latest, and only one that is open."""
        ...

    def code_sent_as(self, outbox_id: str) -> Code | None:
        """The code that an outbox entry carries."""
        ...

    def codes_since(self, *, conversation_id: str, kind: HandleKind, value: str, since: datetime) -> int:
        """How many codes were asked for since then, in a conversation or for a handle."""
        ...

    def forget(self, contact_id: str) -> None:
        """Take away all that is kept here of a contact."""
        ...


class Erasures(Protocol):
    """Persons taken out of the store."""

    def turns_told(self, contact_id: str) -> list[str]:
        """The turns of a contact whose agent was told what was said on other channels."""
        ...

    def forget_turn(self, turn_id: str) -> None:
        """Take away all documents of a turn."""
        ...

    def erase(self, contact_id: str) -> None:
        """Take away all that a contact said and was told, and every address of theirs; rows that others count stay, empty."""
        ...

    def order_rewrite(self, contact_id: str, at: datetime) -> None:
        """Keep that the store's file has to be written anew for a contact who was erased."""
        ...

    def rewrites(self, *, limit: int) -> list[str]:
        """The contacts for whom it has to be, in the order of their ids."""
        ...

    def rewritten(self, contact_ids: Sequence[str]) -> None:
        """Keep that it was."""
        ...
