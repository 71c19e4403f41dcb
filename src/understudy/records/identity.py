"""Who customers are, as far as somebody vouches for it: handles, the links between contacts, codes; it looks nothing up.

A contact keeps its id for ever. That two contacts are one person is a link between them, and taking it away leaves both
as they were. What a customer only says of themselves is no handle.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

GROUP_MAX: Final = 50
"""So many contacts may be one person; no rule links more."""
CODE_DIGITS: Final = 6
CODE_MARK: Final = "{code}"
"""Stands in an approved text, and for ever in what is stored of it, for the code that is sent."""
CODE_MASK: Final = "[code]"
"""What is stored of a message in the place of a code that somebody entered."""

ERASED: Final = "erased "
"""Before a conversation's own id, in the place of the channel's name for it, once its customer was erased."""
ERASED_KIND: Final = "erased"
"""The document of a turn that rested on the words of somebody who was erased, in the place of all others."""

_EMAIL = re.compile(r"[^@\s<>\"(),:;\\\[\]]+@[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z0-9-]+")
_PHONE = re.compile(r"(?:whatsapp:|sms:|tel:)?\+?([0-9]{7,15})")
_ENTERED = re.compile(rf"(?<![0-9])(?:[0-9][ -]?){{{CODE_DIGITS - 1}}}[0-9](?![0-9])")


class HandleKind(StrEnum):
    """By what a person can be known over channels; *external*: the business's own id for them."""

    EMAIL = "email"
    PHONE = "phone"
    EXTERNAL = "external"


class Vouched(StrEnum):
    """Who vouches that a handle is the contact's: the channel, the business's own software (a signed web hook, a key of the
    API), a code that was sent there and entered, or a person of the business."""

    CHANNEL = "channel"
    SOFTWARE = "software"
    CODE = "code"
    PERSON = "person"


PROVEN_BY: Final = frozenset({Vouched.CHANNEL, Vouched.SOFTWARE, Vouched.CODE})
"""What makes a link by rule: a person may be mistaken, and their mistake must reach nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """What a contact is known by. `value` is in the one form that `handle_value` gives; `channel`: over which it was verified."""

    contact_id: str
    kind: HandleKind
    value: str
    how: Vouched
    channel: str
    verified_at: datetime
    verified_by: str


class LinkState(StrEnum):
    """*linked*: one person; *proposed*: a lead may say so; *apart*: a person said that they are not, so no rule links them."""

    LINKED = "linked"
    PROPOSED = "proposed"
    APART = "apart"


class LinkCause(StrEnum):
    """*handle*: both have the same verified handle; *person*: somebody of the business says so; *claim*: one names what the
    other has, which proves nothing."""

    HANDLE = "handle"
    PERSON = "person"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is held of two contacts; `one` < `other`. `kind`: of the handle that they share or that is claimed."""

    id: str
    one: str
    other: str
    state: LinkState
    cause: LinkCause
    kind: HandleKind | None
    at: datetime
    said_by: str

    def __post_init__(self) -> None:
        if not self.one < self.other:
            raise ValueError(f"a link needs two contacts in order, got {self.one!r} and {self.other!r}")

    @property
    def is_verified(self) -> bool:
        """Whether both were proven to have the same handle: only then replies and history follow it."""
        return self.state is LinkState.LINKED and self.cause is LinkCause.HANDLE

    def beyond(self, contact_id: str) -> str:
        """The other one."""
        return self.other if contact_id == self.one else self.one


class CodeState(StrEnum):
    """*open* until it was entered, too many wrong ones were, or its time ran out."""

    OPEN = "open"
    ENTERED = "entered"
    REFUSED = "refused"
    LATE = "late"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A one-time code for who writes in `conversation_id`, sent to a handle of `holder_id` by an outbox entry.

    It is drawn when it is sent and kept nowhere; `hashes` are salted ones of what was sent, at each try of the send.
    """

    id: str
    conversation_id: str
    contact_id: str
    holder_id: str
    kind: HandleKind
    value: str
    outbox_id: str
    hashes: tuple[str, ...]
    tries: int
    state: CodeState
    asked_by: str
    created_at: datetime
    expires_at: datetime


def handle_value(kind: HandleKind, text: str | None) -> str | None:
    """A handle in the form in which two can be compared; None where it is no such handle."""
    plain = (text or "").strip()
    match kind:
        case HandleKind.EMAIL:
            return plain.casefold() if _EMAIL.fullmatch(plain) and len(plain) <= 500 else None
        case HandleKind.PHONE:
            found = _PHONE.fullmatch(re.sub(r"[\s()./-]", "", plain))
            return None if found is None else f"+{found[1]}"
        case HandleKind.EXTERNAL:
            return plain[:500] or None


def handle_in(address: str) -> tuple[HandleKind, str] | None:
    """The handle that an address of a channel is, if people are known by it elsewhere too."""
    for kind in (HandleKind.EMAIL, HandleKind.PHONE):
        if (value := handle_value(kind, address)) is not None:
            return kind, value
    return None


def code_hash(code_id: str, code: str) -> str:
    """What is kept of a code: salted, and of no use for another one."""
    return hashlib.pbkdf2_hmac("sha256", code.encode(), code_id.encode(), 10_000).hex()


def entered_code(text: str) -> str | None:
    """What in a message may be a code, in digits only: the first that may; another try needs another message."""
    match = _ENTERED.search(text)
    return None if match is None else re.sub("[^0-9]", "", match[0])


def without_codes(text: str) -> str:
    """The message with whatever may be a code masked."""
    return _ENTERED.sub(CODE_MASK, text)


def is_code(code: Code, entered: str) -> bool:
    """Whether this was sent."""
    digest = code_hash(code.id, entered)
    return any(hmac.compare_digest(digest, known) for known in code.hashes)


def connected(contact_id: str, links: Iterable[Link]) -> frozenset[str]:
    """Whom these links make one person with a contact, themselves included."""
    beside: dict[str, set[str]] = {}
    for link in links:
        if link.state is LinkState.LINKED:
            beside.setdefault(link.one, set()).add(link.other)
            beside.setdefault(link.other, set()).add(link.one)
    found, look = {contact_id}, [contact_id]
    while look:
        new = beside.get(look.pop(), set()) - found
        found |= new
        look += new
    return frozenset(found)
