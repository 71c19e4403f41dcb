"""What must hold of a conversation after every commit, and which ways its records may go; pure functions of rows.

Each rule says what is wrong as (promise, words) or says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulation import violation as promise
from simulation.rows import Seen
from understudy.records.turn import SUPERSEDABLE, TRANSITIONS, WORKING, TurnState

Wrong = tuple[str, str]

OVER = frozenset({"sent", "dropped"})
"""States of what can be sent no more."""


def _reachable(start: TurnState) -> frozenset[str]:
    found, left = set[TurnState](), [start]
    while left:
        new = TRANSITIONS[left.pop()] - found
        found |= new
        left += new
    return frozenset(state.value for state in found)


REACHABLE = {state.value: _reachable(state) for state in TurnState}
"""From each state of a turn, those it may come to: one commit may take it several steps on."""

WAYS_OUT: dict[str, frozenset[str]] = {
    "pending": frozenset({"sending", "dropped"}),
    "sending": frozenset({"sending", "pending", "sent", "unknown", "dead"}),
    "unknown": frozenset({"sent", "pending"}),
    "sent": frozenset(),
    "dead": frozenset({"pending", "dropped"}),
    "dropped": frozenset({"pending"}),
}
UNSETTLED = ("pending", "sending", "unknown")


def wrongs(before: Seen, after: Seen) -> Iterator[Wrong]:
    """Everything that is wrong with a conversation, or with the way it came to be so."""
    yield from turn_ways(before, after)
    yield from hold_ways(before, after)
    yield from outbox_ways(before, after)
    yield from turns_hang_together(after)
    yield from holds_hang_together(after)
    yield from sends_hang_together(after)


def turn_ways(before: Seen, after: Seen) -> Iterator[Wrong]:
    """A turn goes only the ways of its table, and every change but a longer lease has a new token."""
    for turn in after.turns.values():
        old = before.turns.get(turn.id)
        if old is None or old._replace(due_at=turn.due_at) == turn:
            continue
        if turn.token <= old.token:
            yield promise.LEGAL, f"{turn.id} changed and kept its token {turn.token}"
        if turn.state != old.state and turn.state not in REACHABLE[old.state]:
            yield promise.LEGAL, f"{turn.id} went from {old.state} to {turn.state}"
    for gone in before.turns.keys() - after.turns.keys():
        yield promise.NOT_LOST, f"{gone} is gone"


def hold_ways(before: Seen, after: Seen) -> Iterator[Wrong]:
    """A closed hold stays closed, and every change but a longer claim has a new version."""
    for hold in after.holds.values():
        old = before.holds.get(hold.id)
        if old is None or old == hold:
            continue
        is_renewal = old._replace(claimed_until=hold.claimed_until) == hold
        if hold.version <= old.version and hold._replace(claimed_by=None, claimed_until=None) != old._replace(
            claimed_by=None, claimed_until=None
        ):
            yield promise.LEGAL, f"{hold.id} changed and kept its version {hold.version}"
        if old.state != "open" and not is_renewal:
            yield promise.LEGAL, f"{hold.id} was {old.state} and changed"


def outbox_ways(before: Seen, after: Seen) -> Iterator[Wrong]:
    """An entry goes only its ways, keeps its text, and each send has a number of its own."""
    for entry in after.outbox.values():
        old = before.outbox.get(entry.id)
        if old is None or old == entry:
            continue
        if entry.text != old.text or entry.turn_id != old.turn_id:
            yield promise.DECIDED, f"{entry.id} was changed after it was queued"
        if entry.state not in WAYS_OUT[old.state] and entry.state != old.state:
            yield promise.LEGAL, f"{entry.id} went from {old.state} to {entry.state}"
        if entry.state == "sending" and entry.attempts <= old.attempts:
            yield promise.LEGAL, f"{entry.id} is being sent under the old number {entry.attempts}"
        if entry.state == "dead" and old.state != "dead" and not after.open_holds("hand_off"):
            yield promise.ONE_HAND_OFF, f"{entry.id} is given up and nobody is told"


def turns_hang_together(seen: Seen) -> Iterator[Wrong]:
    """At most one turn of a conversation is still to be decided, and every such turn is found by a sweep."""
    undecided = [turn.id for turn in seen.turns.values() if TurnState(turn.state) in SUPERSEDABLE]
    if len(undecided) > 1:
        yield promise.NOT_VOID, f"{undecided} are all undecided: a newer message did not make the older drafts void"
    for turn in seen.turns.values():
        state = TurnState(turn.state)
        if state in WORKING and turn.due_at is None:
            yield promise.IN_TIME, f"{turn.id} is {turn.state} and is never due"
        if state is TurnState.SUPERSEDED and turn.superseded_by not in seen.turns:
            yield promise.NOT_LOST, f"{turn.id} is superseded by {turn.superseded_by}, which does not exist"
        is_sending = any(e.turn_id == turn.id and e.state in UNSETTLED for e in seen.outbox.values())
        if state is TurnState.DELIVERING and not is_sending and turn.id not in seen.acting:
            yield promise.IN_TIME, f"{turn.id} is delivering and nothing of it is left to send"


def holds_hang_together(seen: Seen) -> Iterator[Wrong]:
    """A held turn has one open hold; a conversation that nobody took has one open hand-off, and never two."""
    drafts = sorted(hold.turn_id for hold in seen.open_holds("draft"))
    held = sorted(turn.id for turn in seen.turns.values() if turn.state == "held")
    if drafts != held:
        yield promise.LEGAL, f"open draft holds are of {drafts}, held turns are {held}"
    hand_offs = seen.open_holds("hand_off")
    if len(hand_offs) > 1:
        yield promise.ONE_HAND_OFF, f"{seen.id} has {len(hand_offs)} open hand-offs"
    if seen.mode == "person" and seen.taken_by is None and not hand_offs:
        yield promise.ONE_HAND_OFF, f"{seen.id} waits for a person and no hand-off is open"


def sends_hang_together(seen: Seen) -> Iterator[Wrong]:
    """Only the oldest unsettled entry is ever begun; an ambiguous one is before a person, and only it."""
    unsettled = [entry for entry in seen.outbox.values() if entry.state in UNSETTLED]
    for entry in unsettled[1:]:
        if entry.state != "pending":
            yield promise.IN_ORDER, f"{entry.id} is {entry.state} before {unsettled[0].id}"
    unknown = [entry.id for entry in unsettled if entry.state == "unknown"]
    asked = seen.open_holds("unsure_send")
    if len(unknown) != len(asked):
        yield promise.UNSURE_IS_HELD, f"unknown are {unknown}, a person is asked by {[hold.id for hold in asked]}"
    for turn in seen.turns.values():
        said = [entry for entry in seen.outbox.values() if entry.turn_id == turn.id]
        if turn.state == "superseded" and any(one.author != "safe_reply" and one.state not in OVER for one in said):
            yield promise.NOT_VOID, f"{turn.id} is superseded and something of it is in the outbox"
