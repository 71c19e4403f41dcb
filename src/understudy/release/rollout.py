"""The steps of a release, each in the transaction it is given and with its ledger entry; when to is not known here.

Whoever moves a release names the version they saw. Of two who move at once one is committed; the other changes nothing
and is told who was quicker.
"""

from __future__ import annotations

from dataclasses import replace

from understudy.effects.given_up import give_up_gate
from understudy.errors import Conflict, StaleVersion
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.codec import dump
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import (
    CANDIDATE,
    NEXT,
    TRANSITIONS,
    Hold,
    Move,
    Release,
    Stage,
    Stated,
    Watched,
    may_go,
)
from understudy.records.spread import GateState
from understudy.release.signals import begun

MOVES_KEPT = 50
"""How many moves a release remembers; the ledger has them all."""
MACHINE = "system"
AGAIN = frozenset({Stage.ROLLED_BACK, Stage.RETIRED})
"""Stages from which a person may let a release begin again."""
PROMOTIONS = frozenset({Stage.SHADOW, Stage.CANARY, Stage.FULL})


def created(
    tx: Transaction, clock: Clock, stated: Stated, *, agent_version: str | None, by: str, why: str = ""
) -> Release:
    """Write a version down as a release. An agent's first one is what answers already, so it is *full* at once.

    Raises `Conflict` where its content is a release already that went further, or where there is nothing yet that it
    could be compared with.
    """
    roster, now = tx.releases.roster(), clock.now()
    known = roster.get(stated.id)
    if known is not None and known.stage is Stage.CREATED:
        return known
    if known is not None:
        raise Conflict(
            f"{stated.entry} is release {known.id} already: {known.stage.value} since {known.since:%d %b %H:%M}"
        )
    is_first = not roster.has(stated.agent)
    if is_first and stated.entry != stated.agent:
        raise Conflict(
            f"agent {stated.agent!r} has no release yet, so {stated.entry!r} cannot be compared with what answers now; "
            f"first run `understudy release create {stated.agent}`"
        )
    stage = Stage.FULL if is_first else Stage.CREATED
    release = Release(
        id=stated.id,
        version=1,
        agent=stated.agent,
        entry=stated.entry,
        parts=stated.parts,
        stage=stage,
        created_at=now,
        created_by=by,
        since=now,
        agent_version=agent_version,
        is_first=is_first,
        why=why,
        moves=(Move(what=stage.value, by=by, why=why, at=now),),
    )
    tx.releases.add(release)
    parts = {part.name: part.digest for part in release.parts}
    tx.ledger.append(
        "release.created",
        at=clock.now(),
        actor=by,
        release=release.id,
        agent=release.agent,
        stage=stage.value,
        parts=parts,
        why=why,
    )
    return release


def gated(
    tx: Transaction, clock: Clock, release: Release, result: GateResult | None, *, by: str, waived: str | None = None
) -> Release:
    """Keep what the gate found. Only a pass lets the release go on, or, where nothing was decided, a person's word."""
    is_through = (result is not None and result.verdict is GateVerdict.PASS) or waived is not None
    gate = result or release.gate
    pending = tx.pending_gates.latest(release.id)
    if result is None and is_at_gate(tx, release.id):
        raise Conflict(_still_at_it(release))
    if pending is not None and pending.state is GateState.PENDING:
        give_up_gate(tx, pending, by=by, why="another one decided meanwhile", at=clock.now())
    if waived is not None and gate is not None and gate.verdict is GateVerdict.FAIL:
        raise Conflict(
            f"release {release.id} failed its gate ({gate.reason}); a failed gate is not waived, change the release"
        )
    verdict = None if gate is None else gate.verdict.value
    kept = replace(release, gate=gate, waived=waived or release.waived)
    if is_through:
        demand(kept, Stage.GATED)
        why = waived or (result.reason if result is not None else "")
        kept = _to(kept, clock, Stage.GATED, by=by, why=why)
    else:
        kept = replace(kept, version=release.version + 1)
    tx.releases.change(kept, was=release.version)
    tx.ledger.append(
        "release.gated",
        at=clock.now(),
        actor=by,
        release=kept.id,
        agent=kept.agent,
        stage=kept.stage.value,
        verdict=verdict,
        waived=waived,
    )
    return kept


def promoted(
    tx: Transaction,
    clock: Clock,
    release: Release,
    *,
    to: Stage | None = None,
    share: float,
    by: str,
    why: str = "",
) -> Release:
    """Take the next step, or the one named; a *full* release retires the one before in the same transaction."""
    stage = to or NEXT.get(release.stage)
    if release.stage is Stage.CREATED and is_at_gate(tx, release.id):
        raise Conflict(_still_at_it(release))
    if stage is None:
        raise Conflict(_no_next(release))
    if release.hold is not None:
        raise Conflict(f"release {release.id} is on hold by {release.hold.by}; `understudy release resume` first")
    _demand_way(release, stage)
    roster = tx.releases.roster()
    other = roster.candidate(release.agent)
    if stage in CANDIDATE and other is not None and other.id != release.id:
        last = other.moves[-1]
        raise Conflict(
            f"release {other.id} of agent {release.agent!r} is being tried already: {last.by} brought it to "
            f"{other.stage.value} at {other.since:%H:%M:%S}. Roll it back, or wait until it is full; nothing was changed"
        )
    moved = _to(release, clock, stage, by=by, why=why)
    moved = replace(moved, share=share if stage is Stage.CANARY else 0.0)
    if stage is Stage.FULL:
        before = roster.full(release.agent)
        assert before is not None, "a canary has a baseline"
        retired = _to(before, clock, Stage.RETIRED, by=by, why=f"replaced by {release.id}")
        tx.releases.change(retired, was=before.version)
        _note_move(tx, clock, retired, was=before.stage, by=by, why="replaced")
        moved = replace(moved, replaces=before.id)
    tx.releases.change(moved, was=release.version)
    _note_move(tx, clock, moved, was=release.stage, by=by, why=why)
    if stage in CANDIDATE and stage is not release.stage:
        _watch_anew(tx, moved)
    return moved


def _watch_anew(tx: Transaction, release: Release) -> None:
    """What is seen of a release is seen from the beginning of its stage on."""
    before = tx.releases.watched(release.id)
    anew = Watched(release_id=release.id, consumed=tx.ledger.head_seq(), progress=dump(begun(release.stage)))
    tx.releases.watch(anew, was=None if before is None else before.consumed)


def rolled_back(
    tx: Transaction, clock: Clock, release: Release, *, by: str, why: str
) -> tuple[Release, Release | None]:
    """Take a release back: every draft that is asked for after this commit comes from another. Returns it and that one.

    A *full* one gives way to the release it replaced; raises `Conflict` where it replaced none, or is not on its way.
    """
    if by == MACHINE and release.hold is not None:
        raise Conflict(f"release {release.id} is on hold by {release.hold.by}, whom no machine overrides")
    if release.stage is Stage.FULL and release.replaces is None:
        raise Conflict(f"release {release.id} is the first of agent {release.agent!r}: there is nothing to go back to")
    if not may_go(release.stage, Stage.ROLLED_BACK):
        raise Conflict(f"release {release.id} is {release.stage.value}: there is nothing to take back")
    back = replace(_to(release, clock, Stage.ROLLED_BACK, by=by, why=why), share=0.0, hold=None)
    back = replace(back, taken_back_at=back.since, verified_at=None, unverified=None)
    tx.releases.change(back, was=release.version)
    answers = tx.releases.roster().full(release.agent)
    if release.stage is Stage.FULL:
        assert release.replaces is not None, "asked above"
        before = tx.releases.get(release.replaces)
        answers = _to(before, clock, Stage.FULL, by=by, why=f"{release.id} was rolled back")
        tx.releases.change(answers, was=before.version)
        _note_move(tx, clock, answers, was=before.stage, by=by, why="rollback")
    tx.ledger.append(
        "release.rolled_back",
        at=clock.now(),
        actor=by,
        release=back.id,
        agent=back.agent,
        was=release.stage.value,
        answers=None if answers is None else answers.id,
        why=why,
    )
    return back, answers


def given_up(tx: Transaction, clock: Clock, release: Release, *, by: str, why: str) -> Release:
    """Retire a release that was never let out."""
    demand(release, Stage.RETIRED)
    if release.stage is Stage.FULL:
        raise Conflict(f"release {release.id} answers every customer; promote another, or roll it back")
    pending = tx.pending_gates.latest(release.id)
    if pending is not None and pending.state is GateState.PENDING:
        give_up_gate(tx, pending, by=by, why=why or "the release was given up", at=clock.now())
    retired = _to(release, clock, Stage.RETIRED, by=by, why=why)
    tx.releases.change(retired, was=release.version)
    _note_move(tx, clock, retired, was=release.stage, by=by, why=why)
    return retired


def is_at_gate(tx: Transaction, release_id: str) -> bool:
    """Whether servers are at the gate of a release, or it was not told yet what that said."""
    gate = tx.pending_gates.latest(release_id)
    return gate is not None and gate.state in (GateState.PENDING, GateState.JUDGED)


def held(tx: Transaction, clock: Clock, release: Release, *, by: str, why: str) -> Release:
    """Let a release stay where it is: from now on only people move it."""
    if release.hold is not None:
        raise Conflict(f"release {release.id} is on hold already, by {release.hold.by}")
    now = clock.now()
    kept = replace(release, version=release.version + 1, hold=Hold(by=by, why=why, at=now))
    kept = _remembering(kept, Move(what="held", by=by, why=why, at=now))
    tx.releases.change(kept, was=release.version)
    tx.ledger.append(
        "release.held",
        at=clock.now(),
        actor=by,
        release=kept.id,
        agent=kept.agent,
        why=why,
    )
    return kept


def resumed(tx: Transaction, clock: Clock, release: Release, *, by: str) -> Release:
    """Take a hold back."""
    if release.hold is None:
        raise Conflict(f"release {release.id} is not on hold")
    kept = replace(release, version=release.version + 1, hold=None)
    kept = _remembering(kept, Move(what="resumed", by=by, why="", at=clock.now()))
    tx.releases.change(kept, was=release.version)
    tx.ledger.append(
        "release.resumed",
        at=clock.now(),
        actor=by,
        release=kept.id,
        agent=kept.agent,
    )
    return kept


def looked_after(tx: Transaction, clock: Clock, release: Release, *, fault: str | None) -> Release:
    """Keep what a probe after a rollback showed: the old release answers, or why nobody can say so."""
    now = clock.now()
    what = "verified" if fault is None else "unverified"
    seen = replace(release, version=release.version + 1, verified_at=None if fault else now, unverified=fault)
    seen = _remembering(seen, Move(what=what, by=MACHINE, why=fault or "the old release answers", at=now))
    tx.releases.change(seen, was=release.version)
    tx.ledger.append(
        "release.probed",
        at=clock.now(),
        actor=MACHINE,
        release=seen.id,
        agent=seen.agent,
        verified=fault is None,
        why=fault,
    )
    return seen


def as_seen(tx: Transaction, release_id: str, *, version: int | None) -> Release:
    """Read a release that somebody saw at a version (None: as it is now); raises `StaleVersion` that says who moved it."""
    release = tx.releases.get(release_id)
    if version is None or version == release.version:
        return release
    last = release.moves[-1] if release.moves else None
    who = "" if last is None else f": {last.by} did this ({last.what}) at {last.at:%H:%M:%S}"
    raise StaleVersion(
        f"release {release.id} changed since it was read (version {version}, now {release.version}){who}; nothing was changed"
    )


def demand(release: Release, to: Stage) -> None:
    """Raise `Conflict` where a release may not go to a stage from where it is."""
    if not may_go(release.stage, to):
        ways = ", ".join(sorted(stage.value for stage in TRANSITIONS[release.stage])) or "nowhere"
        raise Conflict(
            f"release {release.id} is {release.stage.value} and cannot become {to.value}; it can become: {ways}"
        )


def _demand_way(release: Release, to: Stage) -> None:
    """Not every legal transition is a promotion: some belong to the gate, to a first release or to a rollback."""
    if release.stage in AGAIN:
        if to is not Stage.GATED:
            raise Conflict(f"release {release.id} is {release.stage.value}: say --to gated to let it begin again")
        if not (release.has_passed or release.waived or release.is_first):
            raise Conflict(_no_next(replace(release, stage=Stage.CREATED)))
        return
    if to not in PROMOTIONS or release.stage is Stage.CREATED:
        raise Conflict(_no_next(release))
    demand(release, to)


def _still_at_it(release: Release) -> str:
    return (
        f"the gate of release {release.id} is not decided yet; wait for it (`understudy release show {release.id}`), or stop it "
        f"(DELETE /v1/releases/{release.id}/gate)"
    )


def _no_next(release: Release) -> str:
    if release.stage is Stage.CREATED:
        if release.gate is None:
            return (
                f"release {release.id} passed no gate; name the suites it has to pass in releases.suites and create it "
                "again, or waive the gate by `--waive-gate` with `--why`"
            )
        return f"release {release.id} did not pass its gate: {release.gate.verdict.value}, {release.gate.reason}"
    return f"release {release.id} is {release.stage.value}: there is no next stage"


def _to(release: Release, clock: Clock, stage: Stage, *, by: str, why: str) -> Release:
    now = clock.now()
    since = release.since if stage is release.stage else now  # another share is no new beginning
    moved = replace(release, version=release.version + 1, stage=stage, since=since)
    return _remembering(moved, Move(what=stage.value, by=by, why=why, at=now))


def _remembering(release: Release, move: Move) -> Release:
    return replace(release, moves=(*release.moves, move)[-MOVES_KEPT:])


def _note_move(tx: Transaction, clock: Clock, release: Release, *, was: Stage, by: str, why: str) -> None:
    tx.ledger.append(
        "release.moved",
        at=clock.now(),
        actor=by,
        release=release.id,
        agent=release.agent,
        stage=release.stage.value,
        was=was.value,
        share=release.share,
        why=why,
    )
