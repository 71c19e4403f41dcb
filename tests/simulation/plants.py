"""Bugs planted on purpose, to see that a simulated world notices them; none of this is in the product.

Each plant replaces one function of the product by one that forgets something an engineer could forget.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from simulation import violation as promise
from simulation.database import database
from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.journal import SqlLedger
from understudy.adapters.stores.marks import Mark
from understudy.adapters.stores.people import SqlMessages
from understudy.adapters.stores.queue import SqlHolds
from understudy.adapters.stores.rows import Row, Rows
from understudy.adapters.stores.sending import SqlOutbox
from understudy.adapters.stores.turns import SqlTurns
from understudy.assessment.assess import assess
from understudy.delivery import acting as delivery_acting
from understudy.delivery.outbox import Outbox
from understudy.delivery.outcomes import after_call
from understudy.effects import acting as effects_acting
from understudy.effects.handing_off import set_mode
from understudy.effects.sending import queue_message
from understudy.records.conversation import Author, Mode
from understudy.records.outbox import Retry, Unknown
from understudy.review import holds as review_holds
from understudy.review import verdicts as review_verdicts
from understudy.review.holds import open_for
from understudy.turn import commit as turn_commit
from understudy.turn import flow as turn_flow
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake

Patch = tuple[Any, str, Any]


@dataclass(frozen=True, slots=True)
class Plant:
    """A bug: what it replaces, and which promises it may be noticed by (the first thing that breaks varies).

    `rates` are those of the faults that bring it out; without them it would only take more worlds.
    """

    patches: tuple[Patch, ...]
    breaks: tuple[str, ...]
    rates: Mapping[str, float] = field(default_factory=dict)
    acts: bool = False
    """Whether it takes worlds in which agents act."""


@contextmanager
def planted(plant: Plant) -> Iterator[None]:
    """Have the bug in the product for as long as the block lasts."""
    with ExitStack() as stack:
        for owner, name, new in plant.patches:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, new)
        yield


# Intake ------------------------------------------------------------------------------------------------------


class Hasty:
    """A store that answers before it has committed."""

    def __init__(self, store: Any) -> None:
        self._store = store

    async def write(self, step: Callable[[Any], Any]) -> Any:
        result = database().try_out(step)
        self._store.write(step)  # which nobody waits for
        return result


def _hasty(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, store: Any, *args: Any, **more: Any) -> None:
        original(self, Hasty(store), *args, **more)

    return init


def _nothing(*_args: Any, **_more: Any) -> None:
    """Forget to do it."""


async def _sweeps_nothing(_self: Any) -> int:
    return 0


# Compare-and-set ---------------------------------------------------------------------------------------------


def _any_token(original: Callable[..., Any]) -> Callable[..., Any]:
    def swap(self: SqlTurns, turn: Any, **changes: Any) -> Any:
        return original(self, replace(turn, token=self.get(turn.id).token), **changes)

    return swap


def _any_attempt(original: Callable[..., None]) -> Callable[..., None]:
    def change(self: SqlOutbox, entry: Any, *, attempts: int) -> None:
        del attempts
        original(self, entry, attempts=self.get(entry.id).attempts)

    return change


def _any_version(original: Callable[..., Any]) -> Callable[..., Any]:
    def opened(tx: Any, clock: Any, hold_id: str, reviewer: str, *, version: int | None = None) -> Any:
        del version
        return original(tx, clock, hold_id, reviewer)

    return opened


def _anybodys_claim(original: Callable[..., Any]) -> Callable[..., Any]:
    def opened(tx: Any, clock: Any, hold_id: str, reviewer: str, *, version: int | None = None) -> Any:
        claimer = tx.holds.get(hold_id).claimed_by
        return original(tx, clock, hold_id, claimer or reviewer, version=version)

    return opened


# Sending -----------------------------------------------------------------------------------------------------


async def _repeats_blindly(self: Any, lease: Any) -> Any:
    result = await self._ask(lease, "send")
    return Retry(reason="try again") if isinstance(result, Unknown) else result


async def _believes_at_once(self: Any, lease: Any) -> Any:
    result = await self._ask(lease, "send") if not lease.was_interrupted else Unknown(reason="interrupted")
    return await self._ask(lease, "look_up") if isinstance(result, Unknown) else result


def _leases_nothing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Lease in memory only, as if the send itself were the first thing worth a transaction."""

    def lease_next(self: Any, tx: Any, conversation_id: str) -> Any:
        lease = original(self, tx, conversation_id)
        if lease is not None:
            back = replace(lease.entry, state=lease.entry.state.PENDING, due_at=self._clock.now())
            tx.outbox.change(back, attempts=lease.entry.attempts)
        return lease

    return lease_next


def _newest_first(self: SqlOutbox, conversation_id: str) -> Any:
    return next(reversed(self.open_of(conversation_id)), None)


# Deciding ----------------------------------------------------------------------------------------------------


def _tells_nobody(tx: Any, clock: Any, turn: Any, **_more: Any) -> None:
    set_mode(tx, clock, turn.conversation_id, Mode.PERSON, taken_by=None)


def _sends_the_draft(original: Callable[..., Any]) -> Callable[..., Any]:
    """Take the end of a hold for an approval."""

    def queue(tx: Any, clock: Any, conversation: Any, reply: Any, *, turn_id: str) -> Any:
        found = database().rows(
            "SELECT json_extract(body, '$.text') FROM artifacts WHERE kind = 'draft' AND turn_id = ?", turn_id
        )
        draft = {"text": found[0][0], "author": Author.AGENT, "author_name": reply.name, "ai_generated": True}
        return original(tx, clock, conversation, turn_id=turn_id, **draft)

    return queue


def _with_a_coin(original: Callable[..., Any]) -> Callable[..., Any]:
    """Throw the audit coin inside the decision instead of reading it from the evidence."""
    throws = iter(range(10**9))

    def assessed(evidence: Any, rulebook: Any, **options: Any) -> Any:
        return original(dataclasses.replace(evidence, audit_draw=(next(throws) % 3) / 3), rulebook, **options)

    return assessed


def _no_quota(*_args: Any, **_more: Any) -> tuple[int, int]:
    return 0, 0


def _no_holds(_self: Any, _conversation_id: str) -> list[Any]:
    return []


def _speaks_over(original: Callable[..., Any]) -> Callable[..., Any]:
    """Decide on what was gathered, whoever has the conversation by now."""

    def commit(tx: Any, clock: Any, turn: Any, *, evidence: Any, **more: Any) -> Any:
        conversation = tx.conversations.get(turn.conversation_id)
        if conversation.mode is Mode.PERSON:
            cap = tx.caps.of_contact(conversation.contact_id)  # who takes over caps, which would be noticed as well
            evidence = dataclasses.replace(evidence, mode=Mode.PERSON, cap=None if cap is None else cap.cause)
        return original(tx, clock, turn, evidence=evidence, **more)

    return commit


def _names_nobody(mark: Mark, rows: Rows, written: Iterable[Row]) -> None:
    mark.tables.add(rows.table.name)


def _forked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Chain every third entry to the one before the last."""

    def last(self: Any) -> Any:
        seq, name = original(self)
        return (seq, "0" * 64) if seq % 3 == 2 else (seq, name)

    return last


# Acting ------------------------------------------------------------------------------------------------------


def _calls_blindly(original: Callable[..., Any]) -> Callable[..., Any]:
    def after(asked: Any, result: Any) -> Any:
        return original(asked, Retry(reason="no answer") if isinstance(result, Unknown) else result)

    return after


def _has_none_open(_tx: Any, _turn_id: str) -> bool:
    return False


PLANTS: dict[str, Plant] = {
    "an action of unknown outcome is called again blindly": Plant(
        ((delivery_acting, "after_call", _calls_blindly(after_call)),),
        (promise.DONE_ONCE,),
        {"send_answer_lost": 0.4},
        acts=True,
    ),
    "a reply does not wait for its actions": Plant(
        ((effects_acting, "has_open_actions", _has_none_open),), (promise.DONE_ONCE, promise.NOT_TWICE), acts=True
    ),
    "a message is acknowledged before the commit": Plant(
        ((Intake, "__init__", _hasty(Intake.__init__)),), (promise.NOT_LOST,)
    ),
    "a superseded turn keeps its messages": Plant(((SqlMessages, "move", _nothing),), (promise.NOT_LOST,)),
    "a newer message leaves older drafts valid": Plant(((Intake, "_supersede", _nothing),), (promise.NOT_VOID,)),
    "a stale worker's result counts": Plant(
        ((SqlTurns, "_swap", _any_token(SqlTurns._swap)),),
        (promise.NOT_VOID, promise.LEGAL, promise.NOT_TWICE, promise.DECIDED, promise.NOT_LOST, promise.NO_SURPRISE),
    ),
    "a stale sender's result counts": Plant(
        ((SqlOutbox, "change", _any_attempt(SqlOutbox.change)),),
        (promise.LEGAL, promise.NOT_TWICE, promise.UNSURE_IS_HELD, promise.NO_SURPRISE),
        {"freeze_in_send": 0.3},
    ),
    "a stale verdict counts": Plant(((review_verdicts, "open_for", _any_version(open_for)),), (promise.NOT_STALE,)),
    "a claim keeps nobody away": Plant(
        ((review_verdicts, "open_for", _anybodys_claim(open_for)),), (promise.NOT_STALE,)
    ),
    "an unknown send is repeated blindly": Plant(
        ((Outbox, "_try", _repeats_blindly),), (promise.UNSURE_IS_HELD, promise.NOT_TWICE)
    ),
    "a look-up is believed at once": Plant(
        ((Outbox, "_try", _believes_at_once),),
        (promise.NOT_TWICE, promise.UNSURE_IS_HELD),
        {"send_lands_late": 0.3},
    ),
    "a send is not stored before it leaves": Plant(
        ((Outbox, "_lease_next", _leases_nothing(Outbox._lease_next)),),
        (promise.UNSURE_IS_HELD, promise.NOT_TWICE, promise.LEGAL),
    ),
    "the newest reply leaves first": Plant(((SqlOutbox, "head", _newest_first),), (promise.IN_ORDER,)),
    "a hand-off opens no hold": Plant(((turn_commit, "give_to_person", _tells_nobody),), (promise.ONE_HAND_OFF,)),
    "a hand-off opens a hold each time": Plant(
        ((SqlHolds, "open_of_conversation", _no_holds),), (promise.ONE_HAND_OFF,)
    ),
    "an expired hold sends its draft": Plant(
        ((review_holds, "queue_safe_reply", _sends_the_draft(queue_message)),), (promise.DECIDED,)
    ),
    "the agent speaks over a person": Plant(
        ((turn_flow, "commit", _speaks_over(turn_commit.commit)),), (promise.DECIDED,), {"slow_store": 0.8}
    ),
    "no sweep looks for turns": Plant(((TurnFlow, "sweep", _sweeps_nothing),), (promise.IN_TIME,)),
    "the quota is not counted": Plant(((SqlTurns, "decided_since", _no_quota),), (promise.QUOTA,)),
    "the decision throws a coin": Plant(((turn_flow, "assess", _with_a_coin(assess)),), (promise.REPLAYED,)),
    "a mark does not say whose rows it is about": Plant(((Mark, "rows", _names_nobody),), (promise.REMEMBERED,)),
    "others' counts are not heard of": Plant(((Hot, "drop_counts", _nothing),), (promise.REMEMBERED,)),
    "the ledger forks": Plant(((SqlLedger, "_last", _forked(SqlLedger._last)),), (promise.CHAINED,)),
}
"""Every planted bug, by what it is."""
