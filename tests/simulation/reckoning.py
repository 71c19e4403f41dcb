"""What must hold once the machine came to rest, and once people have answered everything; it looks, and acts nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation import violation as promise
from simulation.lawful import UNSETTLED
from simulation.rows import Seen, see
from understudy.records.codec import dump
from understudy.records.ledger import GENESIS
from understudy.records.turn import WORKING, TurnState
from understudy.turn.replay import replay

if TYPE_CHECKING:
    from simulation.world import World

ENDS = ("answered", "superseded", "handed_off")


def reckon_at_rest(world: World) -> None:
    """Nobody acted and nothing went wrong for a while: all that still waits, waits for a person."""
    for seen in _conversations(world):
        waits_for_person = bool(seen.open_holds("unsure_send") or seen.open_holds("unsure_action"))
        for turn in seen.turns.values():
            if waits_for_person or turn.state in (*ENDS, "held"):
                continue
            what = "was not decided" if TurnState(turn.state) in WORKING else "was not sent"
            world.violated(promise.IN_TIME, f"{turn.id} is {turn.state} at rest: it {what}")
        unsent = [entry.id for entry in seen.outbox.values() if entry.state in UNSETTLED]
        if unsent and not waits_for_person:
            world.violated(promise.IN_TIME, f"{unsent} are still to be sent at rest")


def reckon_at_the_end(world: World) -> None:
    """People answered everything: every customer has an answer, and the books are in order."""
    for seen in _conversations(world):
        _all_settled(world, seen)
    _all_letters_taken(world)
    _all_answered(world)
    _all_sent_arrived(world)
    _all_done_once(world)
    _ledger_is_whole(world)
    _decisions_replay(world)


def _conversations(world: World) -> list[Seen]:
    return [see(world.database, row[0]) for row in world.database.rows("SELECT id FROM conversations ORDER BY id")]


def _all_settled(world: World, seen: Seen) -> None:
    waiting = [hold.id for hold in seen.holds.values() if hold.state == "open"]
    if waiting:
        world.violated(promise.IN_TIME, f"people worked all day and {waiting} are still open")
    for turn in seen.turns.values():
        if turn.state not in ENDS:
            world.violated(promise.IN_TIME, f"{turn.id} is still {turn.state} at the end")
        if turn.state == "handed_off" and not world.inspector.is_attended(seen, turn.id):
            world.violated(promise.ONE_HAND_OFF, f"{turn.id} was handed off and nobody turned to it")
    unsent = [entry.id for entry in seen.outbox.values() if entry.state in UNSETTLED]
    if unsent:
        world.violated(promise.IN_TIME, f"{unsent} were never sent")


def _all_letters_taken(world: World) -> None:
    """Providers repeat until they hear that a message is safe, so in calm weather each is acknowledged."""
    for customer in world.customers:
        for letter in customer.letters:
            key = (letter.channel, letter.inbound.provider_id)
            if key not in world.inspector.acknowledged:
                world.violated(promise.IN_TIME, f"{letter.inbound.provider_id} was never acknowledged")


def _all_answered(world: World) -> None:
    """Each acknowledged message is stored once, word for word, in a turn that was answered or that a person took."""
    for (channel, provider_id), letter in world.inspector.acknowledged.items():
        found = world.database.rows(
            "SELECT m.text, t.id, t.state FROM messages AS m LEFT JOIN turns AS t ON t.id = m.turn_id"
            " WHERE m.channel = ? AND m.provider_id = ?",
            channel,
            provider_id,
        )
        if len(found) != 1 or found[0][0] != letter.inbound.text or found[0][2] not in ("answered", "handed_off"):
            world.violated(promise.NOT_LOST, f"{provider_id} was acknowledged and became {found}")
            return
        turn_id, state = found[0][1:]
        shown = [one for one in world.providers[channel].landed if one.entry.turn_id == turn_id]
        if state == "answered" and not shown:
            world.violated(promise.NOT_LOST, f"{turn_id} is answered, and its customer saw nothing")


def _all_sent_arrived(world: World) -> None:
    for key, channel in world.database.rows("SELECT id, channel FROM outbox WHERE state = 'sent'"):
        if not world.providers[channel].times[key]:
            world.violated(promise.NOT_LOST, f"{key} counts as sent, and its customer never saw it")


def _all_done_once(world: World) -> None:
    """What counts as done was done once, and what does not was not."""
    if world.system is None:
        return
    for action_id, state in world.database.rows("SELECT id, state FROM actions ORDER BY seq"):
        times = world.system.times[action_id]
        if state not in ("done", "failed", "dropped") or times != (state == "done"):
            world.violated(promise.DONE_ONCE, f"{action_id} is {state} at the end and was done {times} times")


def _ledger_is_whole(world: World) -> None:
    previous = GENESIS
    for number, (seq, before, name) in enumerate(
        world.database.rows("SELECT seq, previous, hash FROM ledger ORDER BY seq"), start=1
    ):
        if seq != number or before != previous:
            world.violated(promise.CHAINED, f"entry {seq} does not follow entry {number - 1}")
        previous = name


def _decisions_replay(world: World) -> None:
    for (turn_id,) in world.database.rows("SELECT id FROM turns WHERE decision IS NOT NULL ORDER BY position"):
        recorded, computed = world.database.read(lambda tx, turn_id=turn_id: replay(tx, turn_id))  # type: ignore[misc]
        if dump(recorded) != dump(computed):
            world.violated(promise.REPLAYED, f"{turn_id} would be decided otherwise now")
