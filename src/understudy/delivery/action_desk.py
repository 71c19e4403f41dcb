"""Actions in a person's hands: list them, put one on that failed or of which nobody knows, drop one. It carries none out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from understudy.effects.absence import NobodyHome
from understudy.effects.acting import drop_action, drop_waiting, put_on
from understudy.effects.handing_off import give_to_person
from understudy.effects.holds import close_hold, hold_opened
from understudy.errors import ClaimedByOther, Conflict, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HoldClosed, Telemetry
from understudy.records.acting import WAYS, ActionEntry, ActionState
from understudy.records.action_rules import ActionRule, rule_for
from understudy.records.review import Hold, HoldKind, HoldState
from understudy.records.text import storable
from understudy.records.turn import ACTION_JOB, TURN_JOB, Job, TurnState

REASON_CHARS_MAX = 500
DROPPED_PRIORITY = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A page of actions, oldest first, and how many there are of each state that was asked for."""

    entries: Sequence[ActionEntry]
    counts: Mapping[ActionState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An action, its declaration where there is one, and the open hold under which a person can decide about it."""

    entry: ActionEntry
    rule: ActionRule | None
    hold_id: str | None


class ActionDesk:
    """Lists, shows, puts on and drops. Every change is one transaction with its ledger entry, made in `actor`'s name."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        *,
        rules: Callable[[], tuple[ActionRule, ...]],
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._rules = rules
        self._nobody_home = nobody_home

    async def listed(self, states: Collection[ActionState], *, name: str | None = None, limit: int) -> Listed:
        """List actions in these states, of one name or of all."""

        def query(tx: Transaction) -> Listed:
            entries = tx.actions.listed(states, name=name, limit=limit)
            return Listed(entries=entries, counts=tx.actions.count(states, name=name))

        return await self._store.read(query)

    async def show(self, action_id: str) -> Shown:
        """Show one; raises `NotFound`."""
        return await self._store.read(lambda tx: self._shown(tx, action_id))

    async def retry(self, action_id: str, *, actor: str, it_was_not_done: bool = False) -> ActionEntry:
        """Have an action carried out that failed, or that is unknown and of which `actor` knows that it was not done.

        It keeps its id, and so its key. Raises `NotFound`, and `Conflict` for one in another state, or unknown without
        that word. Nothing is changed then.
        """

        def step(tx: Transaction) -> tuple[ActionEntry, list[Hold]]:
            entry = tx.actions.get(action_id)
            is_unknown = entry.state is ActionState.UNKNOWN
            if not (entry.state is ActionState.FAILED or (is_unknown and it_was_not_done)):
                raise Conflict(f"action {entry.id} {_standing(entry)}; nothing was changed")
            if rule_for(self._rules(), entry.name) is None:
                raise Conflict(f"action {entry.id} is of {entry.name!r}, which is not declared; nothing was changed")
            holds = self._answered(tx, entry, actor) if is_unknown else []
            return put_on(tx, self._clock, entry, was_done=False, actor=actor), holds

        return self._told(*await self._store.write(step), actor)

    async def settle(self, action_id: str, *, actor: str) -> ActionEntry:
        """Say of an unknown action that it was done, so that its reply may leave; raises `NotFound` or `Conflict`."""

        def step(tx: Transaction) -> tuple[ActionEntry, list[Hold]]:
            entry = tx.actions.get(action_id)
            if entry.state is not ActionState.UNKNOWN:
                raise Conflict(f"action {entry.id} {_standing(entry)}; nothing was changed")
            holds = self._answered(tx, entry, actor)
            return put_on(tx, self._clock, entry, was_done=True, actor=actor), holds

        return self._told(*await self._store.write(step), actor)

    async def drop(self, action_id: str, *, reason: str, actor: str) -> ActionEntry:
        """Decide that an action is not carried out; where its reply waited for it, a person gets the conversation.

        Raises `NotFound`, `InputError` for an empty or overlong reason, and `Conflict` for one that is under way, done, or
        proposed, which is a verdict's to decide. Then nothing is changed.
        """
        why = storable(reason).strip()
        if not 0 < len(why) <= REASON_CHARS_MAX:
            raise InputError(f"a reason has 1 to {REASON_CHARS_MAX} characters; this one has {len(why)}")

        def step(tx: Transaction) -> tuple[ActionEntry, list[Hold], Hold | None]:
            entry = tx.actions.get(action_id)
            is_proposed = entry.state is ActionState.PROPOSED
            if is_proposed or ActionState.DROPPED not in WAYS[entry.state]:
                raise Conflict(f"action {entry.id} {_standing(entry)}; nothing was changed")
            holds = self._answered(tx, entry, actor) if entry.state is ActionState.UNKNOWN else []
            said = f"dropped by {storable(actor)}: {why}"
            dropped = drop_action(tx, self._clock, entry, why="by_hand", said=said, actor=actor)
            drop_waiting(tx, self._clock, entry.turn_id, why="action_dropped")
            return dropped, holds, self._hand_off(tx, entry)

        dropped, holds, opened = await self._store.write(step)
        if opened is not None:
            self._telemetry.emit(hold_opened(opened))
        return self._told(dropped, holds, actor)

    def _shown(self, tx: Transaction, action_id: str) -> Shown:
        entry = tx.actions.get(action_id)
        holds = [hold for hold in tx.holds.open_of_turn(entry.turn_id) if hold.kind in (HoldKind.DRAFT, HoldKind.UNSURE_ACTION, HoldKind.HAND_OFF)]  # fmt: skip
        return Shown(entry=entry, rule=rule_for(self._rules(), entry.name), hold_id=holds[0].id if holds else None)

    def _answered(self, tx: Transaction, entry: ActionEntry, actor: str) -> list[Hold]:
        """A person says here what the hold asks, so the hold is answered."""
        open_holds = tx.holds.open_of_conversation(entry.conversation_id)
        holds = [hold for hold in open_holds if hold.kind is HoldKind.UNSURE_ACTION]
        now = self._clock.now()
        for hold in holds:
            if hold.claimed_until is not None and hold.claimed_until > now and hold.claimed_by != actor:
                raise ClaimedByOther(f"{hold.claimed_by} works on hold {hold.id} of action {entry.id} just now")
            close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=actor)
        return holds

    def _hand_off(self, tx: Transaction, entry: ActionEntry) -> Hold | None:
        """The reply that waited says what is not so: a person must answer."""
        turn = tx.turns.get(entry.turn_id)
        for kind in (ACTION_JOB, TURN_JOB):
            tx.announce(Job(kind=kind, key=entry.conversation_id))
        if turn.state is not TurnState.DELIVERING or tx.outbox.of_turn(turn.id):
            return None
        turn = tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=self._clock.now())
        return give_to_person(
            tx,
            self._clock,
            turn,
            reasons=("action_dropped",),
            priority=DROPPED_PRIORITY,
            expires_after_s=None,
            nobody_home=self._nobody_home,
        )

    def _told(self, entry: ActionEntry, closed: list[Hold], actor: str) -> ActionEntry:
        now = self._clock.now()
        for hold in closed:
            age_s = (now - hold.created_at).total_seconds()
            self._telemetry.emit(
                HoldClosed(hold_id=hold.id, turn_id=hold.turn_id, how="decided", reviewer=actor, age_s=age_s)
            )
        return entry


def _standing(entry: ActionEntry) -> str:
    """Say of an action why nothing can be done about it here."""
    match entry.state:
        case ActionState.PROPOSED:
            return "is proposed: decide on the draft that proposes it"
        case ActionState.UNKNOWN:
            return "may or may not have been done: say which, by its hold or with --it-was-done or --it-was-not-done"
        case ActionState.EXECUTING:
            return "is being carried out just now"
        case state:
            return f"is {state.value}"
