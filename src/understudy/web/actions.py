"""`/v1/actions`: what agents proposed to do and what became of it; a person puts on what failed, settles what is unknown, drops."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from understudy.errors import NotFound
from understudy.ports.store import Transaction
from understudy.records.acting import UNSETTLED, ActionEntry, ActionState
from understudy.records.action_rules import MICRO
from understudy.web.actions_shown import rules_of_turn, shown_action
from understudy.web.auth import HoldsReader, MetricsReader, TheApp, UpkeepWriter
from understudy.web.blind import second_of_turn
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers
from understudy.web.shapes import ActionOut

router = APIRouter(prefix="/v1/actions", tags=["actions"], route_class=JsonRoute)


class ActionRow(BaseModel):
    """An action as a list shows it; what it was given is not told here. `amount` in the unit of its arguments."""

    id: str
    name: str
    state: ActionState
    turn_id: str
    conversation_id: str
    amount: float | None
    tries: int
    is_unsure: bool
    last_error: str | None
    created_at: datetime
    due_at: datetime | None
    settled_at: datetime | None


class ActionList(BaseModel):
    """The oldest of them, and how many there are of each state that was asked for."""

    items: list[ActionRow]
    counts: dict[ActionState, int]


class ActionDetail(BaseModel):
    """One action whole. `hold_id`: where a person can decide about it."""

    action: ActionOut
    turn_id: str
    conversation_id: str
    hold_id: str | None


class RetryActionBody(BaseModel):
    """`it_was_not_done`: you know that this action, of which nobody knows, was not done."""

    model_config = ConfigDict(strict=True, extra="forbid")

    it_was_not_done: bool = False


class DropActionBody(BaseModel):
    """Why it is not carried out; kept with the action."""

    model_config = ConfigDict(strict=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


@router.get("", responses=answers(401, 403))
async def list_actions(
    app: TheApp,
    key: MetricsReader,
    state: Annotated[list[ActionState] | None, Query(description="default: all that are not settled")] = None,
    name: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ActionList:
    """List actions, the oldest first.

    What would tell of a first verdict is left out for whoever may still review the draft a second time.
    """
    states = tuple(dict.fromkeys(state)) if state else UNSETTLED
    listed = await app.actions.listed(states, name=name, limit=limit)

    def query(tx: Transaction) -> list[ActionRow]:
        return [_row(entry) for entry in listed.entries if second_of_turn(tx, key, entry.turn_id) is None]

    return ActionList(items=await app.store.read(query), counts=dict(listed.counts))


@router.get("/{action_id}", responses=answers(401, 403, 404))
async def get_action(action_id: str, app: TheApp, key: HoldsReader) -> ActionDetail:
    """Read an action with what it was given, its limits, and what came of it."""
    shown = await app.actions.show(action_id)

    def query(tx: Transaction) -> ActionDetail:
        entry = shown.entry
        if second_of_turn(tx, key, entry.turn_id) is not None:
            raise NotFound(f"there is no action {action_id!r}")
        declared = rules_of_turn(tx, tx.turns.get(entry.turn_id))
        rule = next((rule for rule in declared if rule.name == entry.name), shown.rule)
        return ActionDetail(
            action=shown_action(entry, rule),
            turn_id=entry.turn_id,
            conversation_id=entry.conversation_id,
            hold_id=shown.hold_id,
        )

    return await app.store.read(query)


@router.post("/{action_id}/retry", responses=answers(401, 403, 404, 409))
async def retry_action(action_id: str, body: RetryActionBody, app: TheApp, key: UpkeepWriter) -> ActionRow:
    """Have an action carried out that failed, or that is unknown and was not done, under the same id."""
    return _row(await app.actions.retry(action_id, actor=key.name, it_was_not_done=body.it_was_not_done))


@router.post("/{action_id}/settle", responses=answers(401, 403, 404, 409))
async def settle_action(action_id: str, app: TheApp, key: UpkeepWriter) -> ActionRow:
    """Say of an unknown action that it was done, so that the reply that waits for it leaves."""
    return _row(await app.actions.settle(action_id, actor=key.name))


@router.post("/{action_id}/drop", responses=answers(401, 403, 404, 409))
async def drop_action(action_id: str, body: DropActionBody, app: TheApp, key: UpkeepWriter) -> ActionRow:
    """Decide that an action is not carried out; where its reply waited for it, a person gets the conversation."""
    return _row(await app.actions.drop(action_id, reason=body.reason, actor=key.name))


def _row(entry: ActionEntry) -> ActionRow:
    return ActionRow(
        id=entry.id,
        name=entry.name,
        state=entry.state,
        turn_id=entry.turn_id,
        conversation_id=entry.conversation_id,
        amount=None if entry.amount is None else entry.amount / MICRO,
        tries=entry.tries,
        is_unsure=entry.is_unsure,
        last_error=entry.last_error,
        created_at=entry.created_at,
        due_at=entry.due_at,
        settled_at=entry.settled_at,
    )
