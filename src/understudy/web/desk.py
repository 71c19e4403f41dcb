"""`/v1/desk`: what a reviewer works with beside the queue: views, keys, canned replies, and who else is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.errors import Conflict, Forbidden, NotFound
from understudy.ports.store import Transaction
from understudy.records.access import Caller, Scope
from understudy.records.codec import canonical, digest, load
from understudy.records.desk import PRESENT_S, SEEN_KEPT_S, CannedReply, Presence, View
from understudy.web.auth import AutonomyWriter, HoldsReader, TheApp
from understudy.web.bodies import JsonRoute
from understudy.web.problems import answers

router = APIRouter(prefix="/v1/desk", tags=["review"], route_class=JsonRoute)

VIEWS_MAX = 50
CANNED_MAX = 500

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
Text = Annotated[str, Field(max_length=200)]
KeyName = Annotated[str, Field(min_length=1, max_length=20)]


class Shows(BaseModel):
    """Which rows a view shows, and in which order; an empty text shows all."""

    model_config = ConfigDict(strict=True, extra="forbid")

    order: Literal["deadline", "risk", "oldest"] = "deadline"
    kind: Text = ""
    topic: Text = ""
    channel: Annotated[str, Field(max_length=100)] = ""
    text: Text = ""
    free: bool = False


class ViewBody(BaseModel):
    """A view of the queue under a name; `is_shared` lets everybody use it, which takes `autonomy:write`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Name
    shows: Shows
    is_shared: bool = False


class ViewOut(ViewBody):
    """A view as stored; `is_mine`: you may change it. `by` names who made it."""

    id: str
    by: str
    is_mine: bool


class Preferences(BaseModel):
    """What a reviewer set for themselves. `keys`: for an action of the console, the keys that it has instead of its own."""

    model_config = ConfigDict(strict=True, extra="forbid")

    keys: dict[Annotated[str, Field(min_length=1, max_length=40)], Annotated[list[KeyName], Field(max_length=4)]] = (
        Field({}, max_length=60)
    )


class CannedBody(BaseModel):
    """A canned reply. Words in braces, such as `{customer}`, are filled in where it is used."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Name
    text: str = Field(min_length=1, max_length=5_000, pattern=r"\S")


class CannedOut(CannedBody):
    """A canned reply as stored."""

    id: str
    changed_by: str
    changed_at: datetime


class DeskOut(BaseModel):
    """Everything around the queue, in one answer. `undo_s`: how long a verdict may wait to be taken back; `on_expiry`: what
    becomes of a draft whose deadline passes."""

    business: str
    undo_s: float
    on_expiry: Literal["raise", "safe_reply"]
    views: list[ViewOut]
    preferences: Preferences
    canned: list[CannedOut]


class Here(BaseModel):
    """You have the console open; `hold` is the one you look at."""

    model_config = ConfigDict(strict=True, extra="forbid")

    hold: str | None = Field(None, max_length=200)


class Person(BaseModel):
    """Somebody who has the console open, and the hold they look at."""

    name: str
    hold: str | None


class PresentOut(BaseModel):
    """Who else is there, by name."""

    people: list[Person]


@router.get("", responses=answers(401, 403))
async def read_desk(app: TheApp, caller: HoldsReader) -> DeskOut:
    """Read your views and those that are shared, your preferences, and the canned replies."""

    def query(tx: Transaction) -> DeskOut:
        kept = tx.desk.preferences(caller.id)
        return DeskOut(
            business=app.rulebook.rules.profile.name,
            undo_s=app.settings.review.undo_s,
            on_expiry=app.settings.review.on_expiry,
            views=[_view(view, caller) for view in tx.desk.views(caller.id)],
            preferences=Preferences() if kept is None else load(Preferences, kept),
            canned=[_canned(reply) for reply in tx.desk.canned()],
        )

    return await app.store.read(query)


@router.post("/views", status_code=201, responses=answers(401, 403, 409))
async def add_view(body: ViewBody, app: TheApp, caller: HoldsReader) -> ViewOut:
    """Keep a view of the queue; at most 50."""
    _demand_may_share(body, caller)
    view = View(
        id=app.clock.new_id("view"),
        owner=caller.id,
        by=caller.name,
        name=body.name.strip(),
        is_shared=body.is_shared,
        shows=canonical(body.shows.model_dump()),
        created_at=app.clock.now(),
    )

    def step(tx: Transaction) -> None:
        if sum(known.owner == caller.id for known in tx.desk.views(caller.id)) >= VIEWS_MAX:
            raise Conflict(f"you have {VIEWS_MAX} views, the most that are kept; remove one first")
        _keep_view(tx, app, view)

    await app.store.write(step)
    return _view(view, caller)


@router.put("/views/{view_id}", responses=answers(401, 403, 404))
async def change_view(view_id: str, body: ViewBody, app: TheApp, caller: HoldsReader) -> ViewOut:
    """Write one of your views anew."""
    _demand_may_share(body, caller)

    def step(tx: Transaction) -> View:
        known = _own_view(tx, view_id, caller)
        shows = canonical(body.shows.model_dump())
        view = replace(known, name=body.name.strip(), is_shared=body.is_shared, shows=shows)
        _keep_view(tx, app, view)
        return view

    return _view(await app.store.write(step), caller)


@router.delete("/views/{view_id}", status_code=204, responses=answers(401, 403, 404))
async def remove_view(view_id: str, app: TheApp, caller: HoldsReader) -> None:
    """Remove one of your views."""

    def step(tx: Transaction) -> None:
        view = _own_view(tx, view_id, caller)
        tx.desk.drop_view(view_id)
        now = app.clock.now()
        tx.ledger.append("desk.view_removed", at=now, actor=caller.name, view=view_id, shared=view.is_shared)

    await app.store.write(step)


@router.put("/preferences", responses=answers(401, 403))
async def set_preferences(body: Preferences, app: TheApp, caller: HoldsReader) -> Preferences:
    """Set what you prefer, in place of what you had set."""
    text, now = canonical(body.model_dump()), app.clock.now()

    def step(tx: Transaction) -> None:
        tx.desk.put_preferences(caller.id, text, now=now)
        tx.ledger.append("desk.preferences_set", at=now, actor=caller.name, keys=sorted(body.keys))

    await app.store.write(step)
    return body


@router.post("/canned", status_code=201, responses=answers(401, 403, 409))
async def add_canned(body: CannedBody, app: TheApp, caller: AutonomyWriter) -> CannedOut:
    """Add a canned reply; at most 500."""
    return await _put_canned(app, caller, app.clock.new_id("canned"), body, is_new=True)


@router.put("/canned/{reply_id}", responses=answers(401, 403, 404, 409))
async def change_canned(reply_id: str, body: CannedBody, app: TheApp, caller: AutonomyWriter) -> CannedOut:
    """Write a canned reply anew."""
    return await _put_canned(app, caller, reply_id, body, is_new=False)


@router.delete("/canned/{reply_id}", status_code=204, responses=answers(401, 403, 404))
async def remove_canned(reply_id: str, app: TheApp, caller: AutonomyWriter) -> None:
    """Remove a canned reply."""

    def step(tx: Transaction) -> None:
        known = {reply.id: reply for reply in tx.desk.canned()}
        if reply_id not in known:
            raise NotFound(f"there is no canned reply {reply_id!r}")
        tx.desk.drop_canned(reply_id)
        now = app.clock.now()
        tx.ledger.append("desk.canned_removed", at=now, actor=caller.name, reply=reply_id, name=known[reply_id].name)

    await app.store.write(step)


@router.post("/here", responses=answers(401, 403))
async def say_here(body: Here, app: TheApp, caller: HoldsReader) -> PresentOut:
    """Say that you are there and on which hold, again within 45 s, and read who else is; it claims nothing."""
    now = app.clock.now()
    since = now - timedelta(seconds=PRESENT_S)
    here = Presence(owner=caller.id, name=caller.name, hold_id=body.hold, seen_at=now)

    def step(tx: Transaction) -> list[Presence]:
        tx.desk.look_in(here, forget_before=now - timedelta(seconds=SEEN_KEPT_S))
        return tx.desk.present(since=since)

    people = await app.store.write(step)
    others = [Person(name=one.name, hold=one.hold_id) for one in people if one.owner != caller.id]
    return PresentOut(people=others)


def _demand_may_share(body: ViewBody, caller: Caller) -> None:
    if body.is_shared and Scope.AUTONOMY_WRITE not in caller.scopes:
        raise Forbidden(f"{caller.name} ({caller.id}) lacks the scope 'autonomy:write', which sharing a view takes")


def _own_view(tx: Transaction, view_id: str, caller: Caller) -> View:
    view = tx.desk.view(view_id)
    if view is None or view.owner != caller.id:
        raise NotFound(f"you have no view {view_id!r}")
    return view


def _keep_view(tx: Transaction, app: App, view: View) -> None:
    tx.desk.put_view(view)
    tx.ledger.append("desk.view_kept", at=app.clock.now(), actor=view.by, view=view.id, shared=view.is_shared)


async def _put_canned(app: App, caller: Caller, reply_id: str, body: CannedBody, *, is_new: bool) -> CannedOut:
    now = app.clock.now()
    reply = CannedReply(id=reply_id, name=body.name.strip(), text=body.text, changed_by=caller.name, changed_at=now)

    def step(tx: Transaction) -> None:
        known = tx.desk.canned()
        if not is_new and all(one.id != reply_id for one in known):
            raise NotFound(f"there is no canned reply {reply_id!r}")
        if any(one.id != reply_id and one.name.casefold() == reply.name.casefold() for one in known):
            raise Conflict(f"there is a canned reply {reply.name!r} already; choose another name")
        if is_new and len(known) >= CANNED_MAX:
            raise Conflict(f"there are {CANNED_MAX} canned replies, the most that are kept; remove one first")
        tx.desk.put_canned(reply)
        tx.ledger.append(
            "desk.canned_kept", at=now, actor=caller.name, reply=reply_id, name=reply.name, text=digest(reply.text)
        )

    await app.store.write(step)
    return _canned(reply)


def _view(view: View, caller: Caller) -> ViewOut:
    return ViewOut(
        id=view.id,
        name=view.name,
        by=view.by,
        is_shared=view.is_shared,
        is_mine=view.owner == caller.id,
        shows=load(Shows, view.shows),
    )


def _canned(reply: CannedReply) -> CannedOut:
    return CannedOut(
        id=reply.id, name=reply.name, text=reply.text, changed_by=reply.changed_by, changed_at=reply.changed_at
    )
