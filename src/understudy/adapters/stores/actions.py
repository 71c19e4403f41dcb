"""Actions that agents proposed in SQL; one changes only under the attempt number it was read with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from functools import cache

from sqlalchemy import Integer, bindparam, case, func, select, update

from understudy.adapters.stores.action_tables import actions
from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.errors import NotFound, StepSuperseded
from understudy.records.acting import LET_THROUGH, OPEN_ACTION, WAYS, ActionEntry, ActionState
from understudy.records.action_rules import ActionUse

_ENTRY = columns_of(actions, ActionEntry)
_BY_ID = Statement(select(*_ENTRY).where(actions.c.id == bindparam("which")))
_ANY = Statement(select(actions.c.id).limit(1))
_OF_TURN = Statement(select(*_ENTRY).where(actions.c.turn_id == bindparam("which")).order_by(actions.c.place))
_OF_CONVERSATION = Statement(
    select(*_ENTRY)
    .where(actions.c.conversation_id == bindparam("which"))
    .order_by(actions.c.seq.desc())
    .limit(bindparam("limit"))
)
_HEAD = Statement(
    select(*_ENTRY)
    .where(actions.c.conversation_id == bindparam("which"), among(actions.c.state, OPEN_ACTION))
    .order_by(actions.c.seq)
    .limit(1)
)
_older = actions.alias("older")
_IS_BEHIND = (
    select(_older.c.seq)
    .where(
        _older.c.conversation_id == actions.c.conversation_id,
        among(_older.c.state, OPEN_ACTION),
        _older.c.seq < actions.c.seq,
    )
    .exists()
)
_DUE = Statement(
    select(*_ENTRY)
    .where(
        among(actions.c.state, [ActionState.APPROVED, ActionState.EXECUTING]),
        actions.c.due_at <= bindparam("now"),
        ~_IS_BEHIND,
    )
    .order_by(actions.c.due_at)
    .limit(bindparam("limit"))
)
_ADD = insert_into(actions)
_LAST = Statement(select(func.max(actions.c.seq)))
_FIXED = frozenset({"id", "seq", "turn_id", "conversation_id", "contact_id", "place", "name", "created_at"})
_CHANGE = Statement(
    update(actions)
    .where(
        actions.c.id == bindparam("which"),
        actions.c.attempts == bindparam("was"),
        among(actions.c.state, [state for state in ActionState if WAYS[state]]),
    )
    .values({one.name: bindparam(one.name) for one in fields(ActionEntry) if one.name not in _FIXED})
)


@cache
def _uses(names: tuple[str, ...]) -> Statement:
    is_theirs = actions.c.contact_id == bindparam("contact")
    amount = func.coalesce(actions.c.amount, 0)
    return Statement(
        select(
            actions.c.name,
            func.sum(case((is_theirs, 1), else_=0)),
            func.sum(case((is_theirs, amount), else_=0)),
            func.count(),
            func.sum(amount),
        )
        .where(
            actions.c.name.in_([bindparam(f"name_{number}", name) for number, name in enumerate(names)]),
            actions.c.approved_at > bindparam("since"),
            among(actions.c.state, LET_THROUGH),
        )
        .group_by(actions.c.name)
    )


@cache
def _listed(states: frozenset[ActionState], *, has_name: bool) -> Statement:
    page = select(*_ENTRY).where(among(actions.c.state, states)).order_by(actions.c.seq)
    page = page.where(actions.c.name == bindparam("name")) if has_name else page
    return Statement(page.limit(bindparam("limit", type_=Integer)))


@cache
def _counted(states: frozenset[ActionState], *, has_name: bool) -> Statement:
    counted = select(actions.c.state, func.count()).where(among(actions.c.state, states)).group_by(actions.c.state)
    return Statement(counted.where(actions.c.name == bindparam("name")) if has_name else counted)


class SqlActions:
    """`ports.acting.Actions` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def add(self, entry: ActionEntry) -> ActionEntry:
        # All processes take turns to write, so nobody takes the same number.
        added = replace(entry, seq=int(self._session.scalar(_LAST) or 0) + 1)
        self._session.change(_ADD, values_of(added))
        self._hot.has_actions = True
        return added

    def get(self, action_id: str) -> ActionEntry:
        row = self._session.row(_BY_ID, which=action_id)
        if row is None:
            raise NotFound(f"there is no action {action_id!r}")
        return record_of(ActionEntry, row)

    def of_turn(self, turn_id: str) -> list[ActionEntry]:
        if self._hot.has_actions is None:  # every reply asks, and most stores have none at all
            self._hot.has_actions = self._session.scalar(_ANY) is not None
        if not self._hot.has_actions:
            return []
        return [record_of(ActionEntry, row) for row in self._session.rows(_OF_TURN, which=turn_id)]

    def of_conversation(self, conversation_id: str, *, limit: int) -> list[ActionEntry]:
        rows = self._session.rows(_OF_CONVERSATION, which=conversation_id, limit=limit)
        return [record_of(ActionEntry, row) for row in reversed(rows)]

    def head(self, conversation_id: str) -> ActionEntry | None:
        row = self._session.row(_HEAD, which=conversation_id)
        return None if row is None else record_of(ActionEntry, row)

    def change(self, entry: ActionEntry, *, attempts: int) -> None:
        stored = self.get(entry.id)
        if stored.attempts != attempts:
            raise StepSuperseded(f"action {entry.id} moved on meanwhile")
        if entry.state not in WAYS[stored.state] and entry.state is not stored.state:
            raise ValueError(
                f"action {entry.id} is {stored.state.value}, from where no way leads to {entry.state.value}"
            )
        values = {name: value for name, value in values_of(entry).items() if name not in _FIXED}
        self._session.change_one(
            _CHANGE,
            values | {"which": entry.id, "was": attempts},
            refused=lambda: StepSuperseded(f"action {entry.id} moved on meanwhile"),
        )

    def due(self, now: datetime, *, limit: int) -> list[ActionEntry]:
        return [record_of(ActionEntry, row) for row in self._session.rows(_DUE, now=now, limit=limit)]

    def uses(self, names: Iterable[str], contact_id: str, *, since: datetime) -> Mapping[str, ActionUse]:
        wanted = tuple(sorted(set(names)))
        if not wanted:
            return {}
        found = {name: ActionUse(name=name) for name in wanted}
        for name, theirs, their_amount, count, amount in self._session.rows(
            _uses(wanted), contact=contact_id, since=since
        ):
            found[name] = ActionUse(
                name=name,
                contact_count=int(theirs),
                contact_amount=int(their_amount),
                count=int(count),
                amount=int(amount),
            )
        return found

    def listed(self, states: Collection[ActionState], *, name: str | None = None, limit: int) -> list[ActionEntry]:
        values = {"limit": limit} | ({} if name is None else {"name": name})
        rows = self._session.rows(_listed(frozenset(states), has_name=name is not None), **values)
        return [record_of(ActionEntry, row) for row in rows]

    def count(self, states: Collection[ActionState], *, name: str | None = None) -> dict[ActionState, int]:
        values = {} if name is None else {"name": name}
        rows = self._session.rows(_counted(frozenset(states), has_name=name is not None), **values)
        return dict.fromkeys(states, 0) | {state: int(number) for state, number in rows}
