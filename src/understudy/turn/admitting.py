"""What of a customer's message is taken: how long it may be, and what is stored of it. It stores nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from understudy.assessment.cards import mask_all, mask_cards
from understudy.errors import TooLarge
from understudy.records.conversation import Inbound
from understudy.records.text import storable_record

NAMES_CHARS_MAX = {"provider_id": 500, "external_id": 500, "address": 500, "topic": 200}
"""How long the names in an inbound message may be: as long as the store keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """`backlog_max` turns may wait for this system before new ones are refused; `message_chars_max` per message."""

    backlog_max: int = 5_000
    message_chars_max: int = 20_000


def refuse_overlong(inbound: Inbound, *, chars_max: int) -> None:
    """Raise `TooLarge` for a message whose text or names are too long."""
    if len(inbound.text) > chars_max:
        raise TooLarge(
            f"the message has {len(inbound.text)} characters; at most {chars_max} are taken (limits.message_chars_max)"
        )
    for name, name_chars_max in NAMES_CHARS_MAX.items():
        if len(getattr(inbound, name) or "") > name_chars_max:
            raise TooLarge(
                f"the message's {name} has {len(getattr(inbound, name))} characters; at most {name_chars_max} are taken"
            )


def fitted(inbound: Inbound) -> tuple[Inbound, int]:
    """What is stored of a message: what no database takes replaced, card numbers masked; and how many there were.

    Done before the step, so that a long text keeps nobody else's waiting.
    """
    storable = storable_record(inbound)
    text, cards = mask_cards(storable.text)
    envelope = storable.envelope
    if envelope is not None:
        whole = None if envelope.whole is None else mask_all(envelope.whole)
        envelope = replace(envelope, subject=mask_all(envelope.subject), whole=whole)
    return replace(storable, text=text, envelope=envelope), cards
