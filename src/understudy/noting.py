"""Review in the notes of other help desks, built from the settings: who writes them, who reads them. It opens and starts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from understudy.adapters.stores.sql_store import SqlStore
from understudy.notes.deciding import Deciding, GivesVerdicts, House, TakesOver
from understudy.notes.showing import Desk as DeskTerms
from understudy.notes.taking import Remarks
from understudy.notes.writing import NoteLimits, Notes
from understudy.ports.channel import Channel, KeepsNotes
from understudy.ports.clock import Clock
from understudy.ports.telemetry import Telemetry
from understudy.settings.channels import Desk
from understudy.settings.model import Settings


def noting(
    settings: Settings,
    store: SqlStore,
    clock: Clock,
    telemetry: Telemetry,
    channels: Mapping[str, Channel],
    verdicts: GivesVerdicts,
    conversations: TakesOver,
) -> dict[str, Any]:
    """Build it, by its names in `App`."""
    kept = {name: channel for name, channel in channels.items() if isinstance(channel, KeepsNotes)}
    terms = {name: _terms(settings, name, channel) for name, channel in kept.items()}
    reviewed = {name: one for name, one in terms.items() if one is not None}
    houses = {name: _house(settings, name) for name in kept}
    limits = NoteLimits(attempts_max=settings.outbox.attempts_max, lease_s=settings.outbox.lease_s)
    deciding = Deciding(
        store,
        clock,
        desks=reviewed,
        houses=houses,
        verdicts=verdicts,
        conversations=conversations,
        undo_s=settings.review.undo_s,
        claim_lease_s=settings.review.claim_lease_s,
    )
    return {
        "notes": Notes(store, clock, telemetry, kept, reviewed, limits=limits),
        "remarks": Remarks(store, clock, telemetry, kept, deciding),
    }


def _terms(settings: Settings, name: str, channel: KeepsNotes) -> DeskTerms | None:
    own = settings.channels[name]
    if not isinstance(own, Desk) or own.review == "console":
        return None
    raised = "it is put before all others, also in the console"
    replaced = "an approved safe reply is sent, and the customer waits for a person"
    return DeskTerms(
        where=own.review,
        chars_max=channel.note_chars_max,
        needs_threads=channel.needs_threads,
        undo_s=settings.review.undo_s,
        on_expiry=replaced if settings.review.on_expiry == "safe_reply" else raised,
    )


def _house(settings: Settings, name: str) -> House:
    own = settings.channels[name]
    if not isinstance(own, Desk):  # people answer there from a device of their own, and nobody knows which of them
        return House(colleagues={}, automations=frozenset())
    return House(colleagues=own.colleagues, automations=frozenset(own.automations))
