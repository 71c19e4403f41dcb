"""What a process remembers of the store, held against what is stored; it reads the memory's own fields, and changes nothing.

A lease that another process has may have been lengthened, which is no change; all else must be as the tables say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.scene import LEASED, Scene
from understudy.records.outbox import OutboxEntry, OutboxState
from understudy.records.pledges import PledgeState
from understudy.records.turn import Turn

KINDS = frozenset({"transcript", "draft", "agent_error", "evidence", "assessment", "facts", "contact"})


def mistaken(hot: Hot, tx: Any) -> str | None:
    """The first thing that is remembered and is not so; `tx` is a transaction that remembers nothing."""
    return next(_mistakes(hot, tx), None)


def _mistakes(hot: Hot, tx: Any) -> Iterator[str]:
    for conversation_id, scene in hot._scenes.items():
        yield from _of_scene(conversation_id, scene, tx)
    for contact_id, contact in hot._contacts.items():
        yield from _unless(contact, tx.contacts.get(contact_id), f"contact {contact_id}")
    for turn_id in hot._turns:
        if (turn := hot.turn(turn_id)) is not None:
            yield from _unless(turn, tx.turns.get(turn_id), f"turn {turn_id}")
    for turn_id, known in hot.documents._of.items():
        stored = {kind for kind in KINDS if tx.artifacts.get(turn_id, kind) is not None}
        yield from _unless(stored, known.keys() & KINDS, f"documents of {turn_id}")
        for kind, text in known.items():
            if text is not None:
                yield from _unless(text, tx.artifacts.get(turn_id, kind), f"{kind} of {turn_id}")
    yield from _of_counts(hot, tx)
    yield from _of_autonomy(hot, tx)
    yield from _of_people(hot, tx)


def _of_scene(conversation_id: str, scene: Scene, tx: Any) -> Iterator[str]:
    if scene.conversation is not None:
        yield from _unless(scene.conversation, tx.conversations.get(conversation_id), f"conversation {conversation_id}")
    if (turns := scene.open_turns()) is not None:
        yield from _unless(turns, tx.turns.open_of(conversation_id), f"open turns of {conversation_id}")
    elif scene.turns is not None:
        stored = [_turn(turn) for turn in tx.turns.open_of(conversation_id)]
        yield from _unless([_turn(turn) for turn in scene.turns], stored, f"open turns of {conversation_id}")
    if (entries := scene.open_entries()) is not None:
        yield from _unless(entries, tx.outbox.open_of(conversation_id), f"open entries of {conversation_id}")
    elif scene.entries is not None:
        sending = [_entry(entry) for entry in tx.outbox.open_of(conversation_id)]
        yield from _unless([_entry(entry) for entry in scene.entries], sending, f"open entries of {conversation_id}")
    if scene.messages is not None:
        said = tx.messages.of_conversation(conversation_id, limit=1000)
        yield from _unless(scene.messages, said, f"messages of {conversation_id}")


def _of_counts(hot: Hot, tx: Any) -> Iterator[str]:
    if hot.backlog is not None:
        yield from _unless(hot.backlog, tx.turns.backlog(), "the backlog")
    for (topic, channel), tally in hot.tallies._tallies.items():
        if topic is None:
            continue
        since = tally.began_at
        remembered = hot.tallies.decided_since(topic, channel, since)
        yield from _unless(remembered, tx.turns.decided_since(topic, channel, since), f"quota of {topic}/{channel}")


def _of_autonomy(hot: Hot, tx: Any) -> Iterator[str]:
    known = hot.autonomy
    for (topic, channel, release), epoch in known.epochs.items():
        yield from _unless(epoch, tx.epochs.current(topic, channel, release), f"epoch of {topic}/{channel}")
    for of_slice, frequency in known.frequencies.items():
        yield from _unless(frequency, tx.feedback.frequency(*of_slice), f"frequency of {of_slice}")
    for (topic, channel), numbers in known.delivered.items():
        after = numbers[0]
        stored = tx.candidates.delivered(topic, channel, after=after)
        yield from _unless(known.delivered_after(topic, channel, after), stored, f"replies of {topic}/{channel}")
    if known.stops is not None:
        yield from _unless(list(known.stops), list(tx.stops.all()), "stops")
    if known.roster is not None:
        yield from _unless(known.roster, tx.releases.roster(), "releases")


def _of_people(hot: Hot, tx: Any) -> Iterator[str]:
    for contact_id, kind, value in hot.identity.handles:
        if not any(one.contact_id == contact_id for one in tx.identities.holders(kind, value)):
            yield f"handle {value} of {contact_id} is remembered and not there"
    there_is_none = {
        "links": hot.identity.has_links,
        "handles": hot.identity.has_handles,
        "codes": hot.identity.has_codes,
        "caps": hot.autonomy.has_caps,
        "opt_outs": hot.autonomy.has_opt_outs,
        "actions": hot.has_actions,
    }
    for table, is_filled in there_is_none.items():
        if is_filled is False and tx.session._open().execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
            yield f"that there is nothing in {table} is remembered"
    if hot.pledges.has_owed is False and any(tx.pledges.listed([PledgeState.OPEN, PledgeState.BROKEN], limit=1)):
        yield "that nothing is owed is remembered"
    for (channel, external_id), conversation_id in hot._ids.items():
        yield from _unless(conversation_id, tx.conversations.find(channel, external_id).id, f"{channel} {external_id}")
    for contact_id, owed in hot.pledges.of.items():
        yield from _unless(list(owed), tx.pledges.owed_to([contact_id]), f"what is owed to {contact_id}")


def _unless(remembered: object, stored: object, what: str) -> Iterator[str]:
    if remembered != stored:
        yield f"{what}: {remembered!r} is remembered, {stored!r} is stored"


def _turn(turn: Turn) -> Turn:
    return replace(turn, due_at=turn.created_at) if turn.state in LEASED else turn


def _entry(entry: OutboxEntry) -> OutboxEntry:
    return replace(entry, due_at=entry.created_at) if entry.state is OutboxState.SENDING else entry
