"""Releases in SQL. How far each is decides who drafts for every turn, so the writer remembers them all (`hot.py`)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, func, select, update

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.release_tables import rehearsals, release_choices, release_watches, releases
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, insert_into
from understudy.errors import Conflict, NotFound, StaleVersion
from understudy.records.release import CANDIDATE, Choice, Rehearsal, Release, Roster, Stage, Watched

_ALL = Statement(select(releases.c.body).order_by(releases.c.created_at, releases.c.id))
_ONE = Statement(select(releases.c.body).where(releases.c.id == bindparam("which")))
_ADD = insert_into(releases)
_CHANGE = Statement(
    update(releases)
    .where(releases.c.id == bindparam("which"), releases.c.version == bindparam("was"))
    .values({name: bindparam(name) for name in ("version", "stage", "body")})
)

_CHOICE = columns_of(release_choices, Choice)
_CHOICE_OF = (
    release_choices.c.conversation_id == bindparam("conversation_is"),
    release_choices.c.agent == bindparam("agent_is"),
)
_CHOSEN = Statement(select(*_CHOICE).where(*_CHOICE_OF))
_FORGET = Statement(delete(release_choices).where(*_CHOICE_OF))
_CHOOSE = insert_into(release_choices)
_LATEST_CHOSEN = Statement(
    select(*_CHOICE)
    .where(release_choices.c.release_id == bindparam("which"))
    .order_by(release_choices.c.at.desc(), release_choices.c.conversation_id)
    .limit(bindparam("limit"))
)
_COUNT_CHOSEN = Statement(
    select(func.count()).select_from(release_choices).where(release_choices.c.release_id == bindparam("which"))
)

_WATCHED = Statement(
    select(*columns_of(release_watches, Watched)).where(release_watches.c.release_id == bindparam("which"))
)
_BEGIN_WATCH = insert_into(release_watches)
_WATCH = Statement(
    update(release_watches)
    .where(release_watches.c.release_id == bindparam("which"), release_watches.c.consumed == bindparam("was"))
    .values(consumed=bindparam("consumed"), progress=bindparam("progress"))
)

_REHEARSAL_OF = (rehearsals.c.release_id == bindparam("release_is"), rehearsals.c.turn_id == bindparam("turn_is"))
_FORGET_REHEARSAL = Statement(delete(rehearsals).where(*_REHEARSAL_OF))
_REHEARSE = insert_into(rehearsals)
_REHEARSALS = Statement(
    select(rehearsals.c.body)
    .where(rehearsals.c.release_id == bindparam("which"), rehearsals.c.seq > bindparam("after"))
    .order_by(rehearsals.c.seq)
    .limit(bindparam("limit"))
)

_COUNT_REHEARSALS = Statement(
    select(func.count()).select_from(rehearsals).where(rehearsals.c.release_id == bindparam("which"))
)


class SqlReleases:
    """`ports.releases.Releases` in SQL."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def roster(self) -> Roster:
        if self._known.roster is None:
            self._known.roster = Roster(releases=tuple(row[0] for row in self._session.rows(_ALL)))
        return self._known.roster

    def add(self, release: Release) -> None:
        if self.roster().get(release.id) is not None:
            raise Conflict(f"release {release.id} is known already")
        self._demand_room(release)
        self._session.change(_ADD, _values(release))
        self._known.roster = None

    def get(self, release_id: str) -> Release:
        found: Release | None = self._session.scalar(_ONE, which=release_id)
        if found is None:
            raise NotFound(f"there is no release {release_id!r}; `understudy release list` shows them all")
        return found

    def change(self, release: Release, *, was: int) -> None:
        self._demand_room(release)
        values = {"version": release.version, "stage": release.stage, "body": release}
        self._session.change_one(
            _CHANGE,
            {"which": release.id, "was": was, **values},
            refused=lambda: StaleVersion(f"release {release.id} is no longer at version {was}; read it again"),
        )
        self._known.roster = None

    def _demand_room(self, release: Release) -> None:
        """Of an agent one release is full and one is being tried: the table says so too, and less clearly."""
        roster = self.roster()
        if release.stage is Stage.FULL:
            other = roster.full(release.agent)
        elif release.stage in CANDIDATE:
            other = roster.candidate(release.agent)
        else:
            return
        if other is not None and other.id != release.id:
            raise Conflict(f"release {other.id} of agent {release.agent!r} is {other.stage.value} already")

    def choice(self, conversation_id: str, agent: str) -> Choice | None:
        row = self._session.row(_CHOSEN, conversation_is=conversation_id, agent_is=agent)
        return None if row is None else record_of(Choice, row)

    def choose(self, choice: Choice) -> None:
        self._session.change(_FORGET, {"conversation_is": choice.conversation_id, "agent_is": choice.agent})
        self._session.change(_CHOOSE, values_of(choice))

    def chosen(self, release_id: str, *, limit: int) -> list[Choice]:
        return [record_of(Choice, row) for row in self._session.rows(_LATEST_CHOSEN, which=release_id, limit=limit)]

    def count_chosen(self, release_id: str) -> int:
        return int(self._session.scalar(_COUNT_CHOSEN, which=release_id))

    def watched(self, release_id: str) -> Watched | None:
        row = self._session.row(_WATCHED, which=release_id)
        return None if row is None else record_of(Watched, row)

    def watch(self, watched: Watched, *, was: int | None) -> None:
        if was is None:
            if self.watched(watched.release_id) is not None:
                raise StaleVersion(f"release {watched.release_id} is being watched already; read it again")
            self._session.change(_BEGIN_WATCH, values_of(watched))
            return
        self._session.change_one(
            _WATCH,
            {"which": watched.release_id, "was": was, "consumed": watched.consumed, "progress": watched.progress},
            refused=lambda: StaleVersion(f"what was seen of {watched.release_id} is no longer at {was}; read it again"),
        )

    def rehearse(self, rehearsal: Rehearsal) -> None:
        key = {"release_is": rehearsal.release_id, "turn_is": rehearsal.turn_id}
        self._session.change(_FORGET_REHEARSAL, key)
        values = {"release_id": rehearsal.release_id, "turn_id": rehearsal.turn_id, "seq": rehearsal.seq}
        self._session.change(_REHEARSE, {**values, "body": rehearsal})

    def rehearsals(self, release_id: str, *, after: int = 0, limit: int) -> list[Rehearsal]:
        return [row[0] for row in self._session.rows(_REHEARSALS, which=release_id, after=after, limit=limit)]

    def forget_rehearsals(self, turn_ids: Iterable[str], *, release_id: str | None = None) -> None:
        which = [one.id for one in self.roster().releases] if release_id is None else [release_id]
        for turn_id in turn_ids:
            for one in which:
                self._session.change(_FORGET_REHEARSAL, {"release_is": one, "turn_is": turn_id})

    def count_rehearsals(self, release_id: str) -> int:
        return int(self._session.scalar(_COUNT_REHEARSALS, which=release_id))


def _values(release: Release) -> dict[str, object]:
    plain = {name: getattr(release, name) for name in ("id", "version", "agent", "stage", "created_at")}
    return {**plain, "body": release}
