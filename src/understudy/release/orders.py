"""What people order: create a release, promote it, take it back, hold and resume it. Whoever orders says who they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from understudy.effects.given_up import give_up_gate
from understudy.errors import ConfigurationError, Conflict, NotFound
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import ReleaseMoved, Telemetry
from understudy.records.gate import GateResult
from understudy.records.release import CANDIDATE, Release, Roster, Stage, Stated
from understudy.records.rollout import ReleaseTerms, RolledBack
from understudy.records.spread import GateState, PendingGate
from understudy.release import rollout

Gate = Callable[[Release, Release], Awaitable[GateResult]]
"""Compares a candidate with its baseline; both are stated by the configuration at hand."""

PREFIX_CHARS_MIN = 6


class ServedGate(Protocol):
    """A gate whose trials servers make, one after the other or beside each other, until it is decided."""

    @property
    def has_gate(self) -> bool:
        """Whether there is anything that releases have to pass."""
        ...

    async def prepare(self) -> Callable[[Transaction, str, str, str], PendingGate]:
        """Look that it can be run; returns what writes it down, for a candidate, a baseline and whoever asks. Raises
        `Conflict` where it cannot."""
        ...


class ReleaseOrders:
    """See the module. Each order is one transaction and holds for every draft that is asked for after its commit.

    `stated` are the versions the configuration states, by entry; `version_of` asks an entry what it calls itself.
    Without a `gate` a release goes on only by a person's word. `served`: the same gate as `ask` has servers run it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        stated: Mapping[str, Stated],
        *,
        terms: ReleaseTerms,
        version_of: Callable[[str], str | None],
        gate: Gate | None = None,
        served: ServedGate | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._stated = stated
        self._terms = terms
        self._version_of = version_of
        self._gate = gate
        self._served = served

    async def create(self, entry: str, *, by: str, why: str = "") -> Release:
        """Write an entry of `[agents]` down as a release, and have the gate compare it with what answers now.

        Raises `NotFound` where there is no such entry, `Conflict` where it is a release already. A release whose gate did
        not pass stays *created*; doing the same again runs the gate again.
        """
        stated, version = self._of_entry(entry)

        def write_down(tx: Transaction) -> Release:
            return rollout.created(tx, self._clock, stated, agent_version=version, by=by, why=why)

        release = await self._store.write(write_down)
        self._tell(release, release.stage.value, by, why)
        if release.stage is not Stage.CREATED or self._gate is None:
            return release
        baseline = await self._store.read(lambda tx: tx.releases.roster().full(release.agent))
        assert baseline is not None, "only a first release has no baseline, and it is full"
        if baseline.id not in {one.id for one in self._stated.values()}:
            raise ConfigurationError(_incomparable(baseline))
        result = await self._gate(release, baseline)

        def keep(tx: Transaction) -> Release:
            seen = rollout.as_seen(tx, release.id, version=release.version)
            return rollout.gated(tx, self._clock, seen, result, by=by)

        kept = await self._store.write(keep)
        self._tell(kept, "gated" if kept.stage is Stage.GATED else "not gated", by, result.reason)
        return kept

    async def ask(self, entry: str, *, by: str, why: str = "") -> tuple[Release, PendingGate | None]:
        """Write an entry down as a release and, in the same transaction, the gate that servers run then.

        No gate: the release needs none, or none is configured. Asked again while it is under way nothing is begun anew; once
        it was decided, or given up, it goes on with the trials there are. Raises as `create` does, and `Conflict` where the
        gate cannot be run.
        """
        stated, version = self._of_entry(entry)
        served = self._served
        has_baseline = await self._store.read(lambda tx: tx.releases.roster().has(stated.agent))
        begin = await served.prepare() if served is not None and served.has_gate and has_baseline else None

        def step(tx: Transaction) -> tuple[Release, PendingGate | None, bool]:
            is_new = tx.releases.roster().get(stated.id) is None
            release = rollout.created(tx, self._clock, stated, agent_version=version, by=by, why=why)
            baseline = tx.releases.roster().full(release.agent)
            if release.stage is not Stage.CREATED or begin is None or baseline is None:
                return release, None, is_new
            if baseline.id not in {one.id for one in self._stated.values()}:
                raise Conflict(_incomparable(baseline))
            return release, begin(tx, release.id, baseline.id, by), is_new

        release, gate, is_new = await self._store.write(step)
        if is_new:
            self._tell(release, release.stage.value, by, why)
        return release, gate

    async def stop_gate(self, name: str, *, by: str, why: str = "") -> Release:
        """Have servers begin no more trials of a release's gate; it stays *created*. Raises `Conflict` where none runs."""

        def step(tx: Transaction) -> Release:
            release = self._named(tx, name)
            gate = tx.pending_gates.latest(release.id)
            if gate is None or gate.state is not GateState.PENDING:
                raise Conflict(f"no server is at the gate of release {release.id}")
            give_up_gate(tx, gate, by=by, why=why, at=self._clock.now())
            return release

        return await self._store.write(step)

    async def waive(self, name: str, *, version: int | None, by: str, why: str) -> Release:
        """Let a release go on that no gate decided on; it earns its autonomy from nothing. A failed gate stays failed."""
        if not why.strip():
            raise Conflict("to let a release pass without a gate, say why")

        def step(tx: Transaction) -> Release:
            seen = rollout.as_seen(tx, self._named(tx, name).id, version=version)
            return rollout.gated(tx, self._clock, seen, None, by=by, waived=why)

        return self._told(await self._store.write(step), "gated", by, f"waived: {why}")

    async def promote(
        self,
        name: str,
        *,
        version: int | None,
        by: str,
        to: Stage | None = None,
        share: float | None = None,
        why: str = "",
    ) -> Release:
        """Take a release to its next stage, or to the one named.

        Raises `Conflict` where that is no way, where another is being tried, or where its entry cannot do it;
        `StaleVersion` where somebody moved it since `version`.
        """
        share = self._terms.share if share is None else share

        def step(tx: Transaction) -> Release:
            release = rollout.as_seen(tx, self._named(tx, name).id, version=version)
            moved = rollout.promoted(tx, self._clock, release, to=to, share=share, by=by, why=why)
            self._demand_able(moved)
            return moved

        moved = await self._store.write(step)
        return self._told(moved, moved.stage.value, by, why)

    async def roll_back(
        self, name: str | None, *, by: str, why: str, version: int | None = None, agent: str | None = None
    ) -> RolledBack:
        """Take a release back at once. `name` None: the one being tried, else the one that replaced another; there must
        be exactly one such agent, or `agent` names it."""

        def step(tx: Transaction) -> tuple[Release, Release | None]:
            found = self._named(tx, name) if name is not None else _to_take_back(tx.releases.roster(), agent)
            release = rollout.as_seen(tx, found.id, version=version)
            return rollout.rolled_back(tx, self._clock, release, by=by, why=why)

        release, answers = await self._store.write(step)
        self._tell(release, "rolled_back", by, why)
        return RolledBack(release=release, answers=answers, at=self._clock.now())

    async def give_up(self, name: str, *, version: int | None, by: str, why: str = "") -> Release:
        """Retire a release that was never let out."""

        def step(tx: Transaction) -> Release:
            seen = rollout.as_seen(tx, self._named(tx, name).id, version=version)
            return rollout.given_up(tx, self._clock, seen, by=by, why=why)

        return self._told(await self._store.write(step), "retired", by, why)

    async def hold(self, name: str, *, version: int | None, by: str, why: str = "") -> Release:
        """Keep a release where it is: no machine promotes it or takes it back until somebody resumes."""

        def step(tx: Transaction) -> Release:
            seen = rollout.as_seen(tx, self._named(tx, name).id, version=version)
            return rollout.held(tx, self._clock, seen, by=by, why=why)

        return self._told(await self._store.write(step), "held", by, why)

    async def resume(self, name: str, *, version: int | None, by: str) -> Release:
        """Take a hold back."""

        def step(tx: Transaction) -> Release:
            seen = rollout.as_seen(tx, self._named(tx, name).id, version=version)
            return rollout.resumed(tx, self._clock, seen, by=by)

        return self._told(await self._store.write(step), "resumed", by, "")

    def _of_entry(self, entry: str) -> tuple[Stated, str | None]:
        """What an entry of `[agents]` states, and what it calls itself."""
        stated = self._stated.get(entry)
        if stated is None:
            raise NotFound(f"there is no agents.{entry}; there is: {', '.join(sorted(self._stated)) or 'none'}")
        return stated, self._version_of(entry)

    def _named(self, tx: Transaction, name: str) -> Release:
        return named(tx.releases.roster(), self._stated, name)

    def _demand_able(self, moved: Release) -> None:
        """What is to draft has to be stated, and what rehearses must not act."""
        stated = next((one for one in self._stated.values() if one.id == moved.id), None)
        if moved.stage not in (*CANDIDATE, Stage.FULL):
            return
        if stated is None:
            raise Conflict(
                f"release {moved.id} is stated nowhere in this configuration: agents.{moved.entry} was changed or taken "
                "away since; put it back, or create a release of what stands there now"
            )
        if moved.stage is Stage.SHADOW and not stated.can_rehearse:
            raise Conflict(
                f"agents.{stated.entry} may act when it is asked, so it cannot run in shadow: let it do nothing when the "
                "request says `rehearsal` and set honours_rehearsal = true, or say --to canary"
            )

    def _told(self, release: Release, what: str, by: str, why: str) -> Release:
        self._tell(release, what, by, why)
        return release

    def _tell(self, release: Release, what: str, by: str, why: str) -> None:
        self._telemetry.emit(ReleaseMoved(release=release.id, agent=release.agent, what=what, by=by, why=why))


def named(roster: Roster, stated: Mapping[str, Stated], name: str) -> Release:
    """The release that a person means: by its id, the beginning of it, or the entry of `[agents]` that states it.

    Raises `NotFound`, naming what there is.
    """
    entry = stated.get(name)
    found = roster.get(name) or (None if entry is None else roster.get(entry.id))
    if found is not None:
        return found
    near = [one for one in roster.releases if len(name) >= PREFIX_CHARS_MIN and one.id.startswith(name)]
    if len(near) == 1:
        return near[0]
    if entry is not None:
        raise NotFound(f"agents.{name} as it stands was never made a release; `understudy release create {name}` does")
    there = ", ".join(f"{one.id} ({one.entry})" for one in roster.releases) or "none"
    raise NotFound(f"there is no release {name!r}; there is: {there}")


def _incomparable(baseline: Release) -> str:
    return (
        f"release {baseline.id}, which answers now, is stated nowhere in this configuration, so nothing can be "
        "compared with it; put its settings back as an entry with release_of"
    )


def _to_take_back(roster: Roster, agent: str | None) -> Release:
    """The only release that a rollback without a name can mean."""
    agents = {one.agent for one in roster.releases} if agent is None else {agent}
    found = [one for agent in sorted(agents) if (one := _of_agent(roster, agent)) is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Conflict("no release is being tried and none replaced another, so there is nothing to take back")
    raise Conflict(f"say which: {', '.join(f'{one.id} of {one.agent}' for one in found)}")


def _of_agent(roster: Roster, agent: str) -> Release | None:
    candidate, full = roster.candidate(agent), roster.full(agent)
    if candidate is not None:
        return candidate
    return full if full is not None and full.replaces is not None else None
